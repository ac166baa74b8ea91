import {
  authorizerValue,
  requestResourceValue,
  type DecideAccess,
  type ResourceCheck,
} from '../../../machinery/cel/library/authorizer.ts';
import type { UserInfo } from '../../../api/resource.ts';
import type { Namespace } from '../../../api/core/v1.gen.ts';
import { namespaces } from '../../../api/core/v1.gen.ts';
import { viewJson } from '../../../machinery/cel/json-view.ts';
import type { CelValue } from '../../../machinery/cel/value.ts';
import type { Attributes, Authorizer, ResourceAttributes } from '../../auth/authorizer.ts';
import type { AdmissionRequest, AdmissionVersion } from '../admission-chain.ts';
import type { Lookup } from '../lookup.ts';
import { userInfo } from '../webhooks/admission-review.ts';
import type { ReviewObjects } from '../webhooks/admission-review.ts';

/** What the values of variables are read from. */
export interface BindingParts {
  readonly lookup: Lookup;
  readonly authorizer: Authorizer;
}

/** One request as the expressions of a webhook or policy see it. */
export interface BindingSubject {
  readonly request: AdmissionRequest;
  /** The version that was matched. */
  readonly target: AdmissionVersion;
  readonly objects: ReviewObjects;
  /** The policy's parameter; null when it has none. */
  readonly params?: unknown;
}

/** The values of `object`, `oldObject`, `request`, `namespaceObject`, `params` and the authorizer. */
export function expressionBindings(parts: BindingParts, subject: BindingSubject): Map<string, CelValue> {
  const { request, target, objects, params } = subject;
  const source = decider(parts.authorizer, request);
  return new Map<string, CelValue>([
    ['object', viewJson(objects.object ?? null)],
    ['oldObject', viewJson(objects.oldObject ?? null)],
    ['request', viewJson(requestValue(request, target))],
    ['namespaceObject', viewJson(namespaceValue(parts.lookup, request))],
    ['params', viewJson(params ?? null)],
    ['authorizer', authorizerValue(source)],
    ['authorizer.requestResource', requestResourceValue(source, questionOf(request))],
  ]);
}

function requestValue(request: AdmissionRequest, target: AdmissionVersion): object {
  const { subresource, name, namespace, operation, dryRun, options, user } = request;
  return {
    kind: target.kind,
    resource: { group: target.group, version: target.version, resource: target.resource },
    ...(subresource === '' ? {} : { subResource: subresource }),
    requestKind: request.kind,
    requestResource: { group: request.group, version: request.version, resource: request.resource },
    ...(subresource === '' ? {} : { requestSubResource: subresource }),
    ...(name === '' ? {} : { name }),
    ...(namespace === '' ? {} : { namespace }),
    operation,
    userInfo: userInfo(user),
    dryRun,
    options: options ?? null,
  };
}

/** The namespace with the fields that expressions may see; null for cluster-scoped requests. */
function namespaceValue(lookup: Lookup, { kind, namespace }: AdmissionRequest): object | null {
  const isNamespace = kind.group === '' && kind.version === 'v1' && kind.kind === 'Namespace';
  const found =
    namespace === '' || isNamespace ? undefined : lookup.get<Namespace>(namespaces, '', namespace);
  if (!found) return null;
  const { metadata, spec, status } = found;
  const { name, generateName, labels, annotations, uid, resourceVersion, finalizers, generation } = metadata;
  const times = {
    creationTimestamp: metadata.creationTimestamp,
    deletionTimestamp: metadata.deletionTimestamp,
  };
  return {
    metadata: {
      name,
      ...(generateName ? { generateName } : {}),
      ...(labels ? { labels } : {}),
      ...(annotations ? { annotations } : {}),
      UID: uid,
      resourceVersion,
      ...(finalizers ? { finalizers } : {}),
      ...(generation === undefined ? {} : { generation }),
      ...Object.fromEntries(Object.entries(times).filter(([, value]) => value !== undefined)),
    },
    ...(spec ? { spec: { finalizers: spec.finalizers ?? [] } } : {}),
    ...(status ? { status } : {}),
  };
}

function questionOf(request: AdmissionRequest): ResourceCheck {
  const { group, resource, subresource, namespace, name } = request;
  return { group, resource, subresource, namespace, name };
}

function decider(authorizer: Authorizer, { user }: AdmissionRequest): DecideAccess {
  return ({ serviceAccount, verb, path, resource }) => {
    const asked = serviceAccount ? accountUser(serviceAccount) : user;
    const attributes: Attributes =
      resource === undefined ? { verb, path: path ?? '' } : { verb, ...givenOf(resource) };
    const { allowed, reason } = authorizer.authorize(asked, attributes);
    return Promise.resolve({ allowed, reason });
  };
}

function givenOf({
  group,
  resource,
  subresource,
  namespace,
  name,
}: ResourceCheck): Omit<ResourceAttributes, 'verb'> {
  return {
    group,
    resource,
    ...(subresource === '' ? {} : { subresource }),
    ...(namespace === '' ? {} : { namespace }),
    ...(name === '' ? {} : { name }),
  };
}

function accountUser({ namespace, name }: { readonly namespace: string; readonly name: string }): UserInfo {
  return {
    name: `system:serviceaccount:${namespace}:${name}`,
    groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
  };
}
