import { timestamp } from '../../base/clock.ts';
import { humanDuration } from '../../machinery/duration.ts';
import { mutableCopy } from '../../machinery/mutable-copy.ts';
import type { DeepMutable } from '../../machinery/object.ts';
import { nameRule, pathSegmentNameErrors } from '../../machinery/validation/names.ts';
import { ageColumn, nameColumn } from '../columns.ts';
import { defineResource, type ResourceDefinition } from '../resource.ts';
import {
  validateSigningRequest,
  validateSigningRequestUpdate,
} from './certificate-signing-request-validation.ts';
import {
  type CertificateSigningRequest,
  type CertificateSigningRequestSpec,
  certificatesigningrequests,
} from './v1.gen.ts';

type Request = CertificateSigningRequest;

/** Wishes for a certificate. What is asked for never changes; approval and certificate have subresources of their own. */
export const certificateSigningRequests: ResourceDefinition<Request> = defineResource<Request>({
  storage: 'v1',
  versions: {
    v1: {
      type: certificatesigningrequests,
      schema: 'io.k8s.api.certificates.v1.CertificateSigningRequest',
      defaults: (request: DeepMutable<Request>) => {
        for (const condition of request.status?.conditions ?? []) condition.status ??= '';
      },
    },
  },
  validateName: nameRule(pathSegmentNameErrors),
  prepareForCreate(request, { user }) {
    const { spec } = request;
    spec.username = user.name;
    if (user.uid) spec.uid = user.uid;
    else delete spec.uid;
    spec.groups = [...user.groups];
    const extra = Object.entries(user.extra ?? {});
    if (extra.length > 0) spec.extra = extraValues(extra);
    else delete spec.extra;
    request.status = {};
  },
  prepareForUpdate(next, old) {
    next.spec = mutableCopy(old.spec);
    next.status = mutableCopy(old.status ?? {});
  },
  validate: validateSigningRequest,
  validateUpdate: (next, old) => validateSigningRequestUpdate(next, old, 'request'),
  resets: ['spec', 'status'],
  status: {
    resets: ['spec', 'status.conditions'],
    prepare(next, old, { now }) {
      next.spec = mutableCopy(old.spec);
      const sent = next.status?.conditions ?? [];
      const kept = (old.status?.conditions ?? []).filter(({ type }) => isDecision(type));
      const missing = kept.filter(({ type }) => !sent.some((condition) => condition.type === type));
      next.status ??= {};
      if (sent.length + missing.length > 0) next.status.conditions = [...sent, ...mutableCopy(missing)];
      stampConditions(next, old, now);
    },
    validate: (next, old) => validateSigningRequestUpdate(next, old, 'status'),
  },
  subresources: {
    approval: {
      kind: { group: 'certificates.k8s.io', version: 'v1', kind: 'CertificateSigningRequest' },
      verbs: ['get', 'patch', 'update'],
      resets: ['spec', 'status.certificate'],
      merge(next, old, { now }) {
        next.spec = mutableCopy(old.spec);
        const conditions = next.status?.conditions;
        next.status = mutableCopy(old.status ?? {});
        if (conditions) next.status.conditions = conditions;
        else delete next.status.conditions;
        stampConditions(next, old, now);
      },
      validateUpdate: (next, old) => validateSigningRequestUpdate(next, old, 'approval'),
    },
  },
  selectableFields: { 'spec.signerName': ({ spec }) => spec.signerName },
  columns: [
    nameColumn(),
    ageColumn(),
    { name: 'SignerName', type: 'string', cell: ({ spec }) => spec.signerName || '<none>' },
    { name: 'Requestor', type: 'string', cell: ({ spec }) => spec.username ?? '' },
    {
      name: 'RequestedDuration',
      type: 'string',
      cell: ({ spec }) =>
        spec.expirationSeconds === undefined ? '<none>' : humanDuration(spec.expirationSeconds * 1000),
    },
    { name: 'Condition', type: 'string', cell: printConditions },
  ],
});

function extraValues(
  extra: readonly (readonly [string, readonly string[]])[],
): DeepMutable<NonNullable<CertificateSigningRequestSpec['extra']>> {
  const values: unknown = Object.fromEntries(extra.map(([key, value]) => [key, [...value]]));
  return values as DeepMutable<NonNullable<CertificateSigningRequestSpec['extra']>>;
}

function isDecision(type: string): boolean {
  return type === 'Approved' || type === 'Denied';
}

/** New and changed conditions get the time of the request, where it does not give one. */
function stampConditions(next: DeepMutable<Request>, old: Request, now: number): void {
  const before = old.status?.conditions ?? [];
  for (const condition of next.status?.conditions ?? []) {
    condition.lastUpdateTime ??= timestamp(now);
    if (condition.lastTransitionTime !== undefined) continue;
    const same = before.find(({ type, status }) => type === condition.type && status === condition.status);
    condition.lastTransitionTime = same?.lastTransitionTime ?? timestamp(now);
  }
}

function printConditions({ status }: Request): string {
  const types = (status?.conditions ?? []).map(({ type }) => type);
  const state = types.includes('Denied') ? 'Denied' : types.includes('Approved') ? 'Approved' : 'Pending';
  const more = [types.includes('Failed') ? 'Failed' : '', status?.certificate ? 'Issued' : ''];
  return [state, ...more.filter((word) => word !== '')].join(',');
}
