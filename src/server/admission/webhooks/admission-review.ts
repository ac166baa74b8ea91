import { randomUUID } from 'node:crypto';
import type { Status } from '../../../machinery/meta/v1.gen.ts';
import type { GroupVersionKind } from '../../../machinery/schema/schema.ts';
import { encodeJson } from '../../../machinery/json/encode.ts';
import type { UserInfo } from '../../../api/resource.ts';
import type { AdmissionRequest, AdmissionVersion } from '../admission-chain.ts';

const group = 'admission.k8s.io';

/** What a webhook is asked, and how to know its answer. */
export interface Review {
  readonly version: 'v1' | 'v1beta1';
  readonly uid: string;
  readonly body: string;
}

/** The objects of a request in the version that a webhook wants. */
export interface ReviewObjects {
  readonly object: Readonly<Record<string, unknown>> | undefined;
  readonly oldObject: Readonly<Record<string, unknown>> | undefined;
}

/** What a webhook decided. */
export interface Verdict {
  readonly allowed: boolean;
  readonly result?: Partial<Status>;
  /** A JSON Patch of the object, as text. */
  readonly patch?: string;
  readonly patchType?: string;
  readonly auditAnnotations: Readonly<Record<string, string>>;
  readonly warnings: readonly string[];
}

/** The `AdmissionReview` for a webhook, in the first of its versions that is known; undefined when there is none. */
export function newReview(
  request: AdmissionRequest,
  target: AdmissionVersion,
  { object, oldObject }: ReviewObjects,
  versions: readonly string[],
): Review | undefined {
  const version = versions.find((candidate) => candidate === 'v1' || candidate === 'v1beta1');
  if (version === undefined) return undefined;
  const uid = randomUUID();
  const { subresource, name, namespace, operation, dryRun, options } = request;
  const body = encodeJson({
    kind: 'AdmissionReview',
    apiVersion: `${group}/${version}`,
    request: {
      uid,
      kind: kindOf(target.kind),
      resource: resourceOf(target),
      ...(subresource === '' ? {} : { subResource: subresource }),
      requestKind: kindOf(request.kind),
      requestResource: resourceOf(request),
      ...(subresource === '' ? {} : { requestSubResource: subresource }),
      ...(name === '' ? {} : { name }),
      ...(namespace === '' ? {} : { namespace }),
      operation,
      userInfo: userInfo(request.user),
      object: object ?? null,
      oldObject: oldObject ?? null,
      dryRun,
      options: options ?? null,
    },
  });
  return { version, uid, body };
}

/** `authentication.k8s.io/v1 UserInfo`. */
export function userInfo({ name, uid, groups, extra }: UserInfo): Readonly<Record<string, unknown>> {
  return {
    username: name,
    ...(uid ? { uid } : {}),
    ...(groups.length > 0 ? { groups } : {}),
    ...(extra && Object.keys(extra).length > 0 ? { extra } : {}),
  };
}

function kindOf({ group: owner, version, kind }: GroupVersionKind): GroupVersionKind {
  return { group: owner, version, kind };
}

function resourceOf(of: Pick<AdmissionVersion, 'group' | 'version' | 'resource'>): object {
  return { group: of.group, version: of.version, resource: of.resource };
}

/** A response that is not what a webhook may answer. The message is upstream's. */
export class InvalidReviewError extends Error {
  override readonly name = 'InvalidReviewError';
}

interface Response {
  readonly uid?: string;
  readonly allowed?: boolean;
  readonly status?: Partial<Status>;
  readonly patch?: string;
  readonly patchType?: string;
  readonly auditAnnotations?: Readonly<Record<string, string>>;
  readonly warnings?: readonly string[];
}

/** Takes a decoded answer apart. `may` says whether it may carry a patch. Throws `InvalidReviewError`. */
export function readVerdict(answer: unknown, review: Review, may: 'change' | 'look'): Verdict {
  const {
    apiVersion = '',
    kind = '',
    response,
  } = answer as {
    readonly apiVersion?: string;
    readonly kind?: string;
    readonly response?: Response;
  };
  if (!response) throw new InvalidReviewError('webhook response was absent');
  if (review.version === 'v1') {
    checkIdentity(response, review, { apiVersion, kind });
    checkPatch(response, may);
  }
  const { allowed = false, status, patch = '', auditAnnotations = {}, warnings = [] } = response;
  const patchType = review.version === 'v1beta1' && patch !== '' ? 'JSONPatch' : response.patchType;
  return {
    allowed,
    ...(status ? { result: status } : {}),
    ...(may === 'change' && patch !== '' ? { patch: Buffer.from(patch, 'base64').toString() } : {}),
    ...(patchType === undefined ? {} : { patchType }),
    auditAnnotations,
    warnings,
  };
}

function checkIdentity(
  { uid = '' }: Response,
  review: Review,
  { apiVersion, kind }: { readonly apiVersion: string; readonly kind: string },
): void {
  if (uid !== review.uid) {
    throw new InvalidReviewError(
      `expected response.uid=${JSON.stringify(review.uid)}, got ${JSON.stringify(uid)}`,
    );
  }
  if (apiVersion === `${group}/v1` && kind === 'AdmissionReview') return;
  const found = apiVersion.includes('/') ? apiVersion : `/${apiVersion}`;
  throw new InvalidReviewError(
    `expected webhook response of ${group}/v1, Kind=AdmissionReview, got ${found}, Kind=${kind}`,
  );
}

function checkPatch({ patch = '', patchType }: Response, may: 'change' | 'look'): void {
  if (may === 'look') {
    if (patch !== '') throw new InvalidReviewError('validating webhook may not return response.patch');
    if (patchType !== undefined)
      throw new InvalidReviewError('validating webhook may not return response.patchType');
    return;
  }
  if (patch !== '' && patchType === undefined)
    throw new InvalidReviewError('webhook returned response.patch but not response.patchType');
  if (patch === '' && patchType !== undefined)
    throw new InvalidReviewError('webhook returned response.patchType but not response.patch');
  if (patchType === '') throw new InvalidReviewError('webhook returned invalid response.patchType of ""');
}
