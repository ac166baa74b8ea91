import { dns1123LabelErrors, dns1123SubdomainErrors } from '../../validation/names.ts';
import { CelPendingError, evaluationError } from '../evaluation-error.ts';
import type { FunctionLibrary } from '../function-table.ts';
import { asOpaque, asText } from '../value-guards.ts';
import type { CelOpaque, CelValue } from '../value.ts';

/** A question that an expression asks: may the requester (or a service account) do this? */
export interface AccessCheck {
  /** Asks for this account instead of the requester. */
  readonly serviceAccount?: { readonly namespace: string; readonly name: string };
  readonly verb: string;
  /** For requests of no resource. */
  readonly path?: string;
  readonly resource?: ResourceCheck;
}

export interface ResourceCheck {
  readonly group: string;
  readonly resource: string;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
  /** As written; what cannot be parsed is left out of the question. */
  readonly fieldSelector?: string;
  readonly labelSelector?: string;
}

export interface AccessDecision {
  readonly allowed: boolean;
  readonly reason?: string;
  readonly error?: string;
}

/** Answers the checks of one request. */
export type DecideAccess = (check: AccessCheck) => Promise<AccessDecision>;

interface Authorizer {
  readonly decide: (check: AccessCheck) => AccessDecision;
  readonly serviceAccount?: AccessCheck['serviceAccount'];
}

interface PathCheck extends Authorizer {
  readonly path: string;
}

interface GroupCheck extends Authorizer {
  readonly group: string;
}

interface ResourceRequest extends Authorizer {
  readonly resource: ResourceCheck;
}

const PREFIX = 'kubernetes.authorization';

/** Names of the types of `authorizer` and `authorizer.requestResource`. */
export const AUTHORIZER_TYPE: string = `${PREFIX}.Authorizer`;
export const RESOURCE_CHECK_TYPE: string = `${PREFIX}.ResourceCheck`;

/** The `authorizer` variable of one request. Decisions are asked for once; evaluate with `evaluateWithChecks`. */
export function authorizerValue(decide: DecideAccess): CelOpaque {
  return opaque<Authorizer>(AUTHORIZER_TYPE, { decide: remembered(decide) });
}

/** `authorizer.requestResource`: a check of the request's own resource. */
export function requestResourceValue(decide: DecideAccess, resource: ResourceCheck): CelOpaque {
  return opaque<ResourceRequest>(RESOURCE_CHECK_TYPE, { decide: remembered(decide), resource });
}

/** Evaluation cannot wait: an unanswered check ends it, to be repeated once the answer is there. */
function remembered(decide: DecideAccess): (check: AccessCheck) => AccessDecision {
  const known = new Map<string, AccessDecision>();
  return (check) => {
    const key = JSON.stringify(check);
    const decision = known.get(key);
    if (decision) return decision;
    throw new CelPendingError(async () => {
      known.set(key, await decide(check));
    });
  };
}

function opaque<T extends object>(typeName: string, payload: T): CelOpaque {
  return { kind: 'opaque', typeName, payload, equals: (other) => other === payload };
}

/** Kubernetes' authorizer library with selectors. */
export function authorizerFunctions(): FunctionLibrary {
  const resource = RESOURCE_CHECK_TYPE;
  const decision = `${PREFIX}.Decision`;
  return [
    {
      id: 'authorizer_path',
      signature: `<${AUTHORIZER_TYPE}>.path(string) -> ${PREFIX}.PathCheck`,
      run: pathCheck,
    },
    {
      id: 'authorizer_group',
      signature: `<${AUTHORIZER_TYPE}>.group(string) -> ${PREFIX}.GroupCheck`,
      run: groupCheck,
    },
    {
      id: 'authorizer_serviceaccount',
      signature: `<${AUTHORIZER_TYPE}>.serviceAccount(string, string) -> ${AUTHORIZER_TYPE}`,
      run: serviceAccount,
    },
    {
      id: 'groupcheck_resource',
      signature: `<${PREFIX}.GroupCheck>.resource(string) -> ${resource}`,
      run: resourceCheck,
    },
    ...(['subresource', 'namespace', 'name', 'fieldSelector', 'labelSelector'] as const).map((field) => ({
      id: field.endsWith('Selector') ? `authorizer_${field.toLowerCase()}` : `resourcecheck_${field}`,
      signature: `<${resource}>.${field}(string) -> ${resource}`,
      run: (value?: CelValue, text?: CelValue) => withField(value, field, asText(text)),
    })),
    {
      id: 'pathcheck_check',
      signature: `<${PREFIX}.PathCheck>.check(string) -> ${decision}`,
      run: checkPath,
    },
    {
      id: 'resourcecheck_check',
      signature: `<${resource}>.check(string) -> ${decision}`,
      run: checkResource,
    },
    {
      id: 'decision_allowed',
      signature: `<${decision}>.allowed() -> bool`,
      run: (value) => decided(value).allowed,
    },
    {
      id: 'decision_reason',
      signature: `<${decision}>.reason() -> string`,
      run: (value) => decided(value).reason ?? '',
    },
    {
      id: 'decision_error',
      signature: `<${decision}>.error() -> string`,
      run: (value) => decided(value).error ?? '',
    },
    {
      id: 'decision_errored',
      signature: `<${decision}>.errored() -> bool`,
      run: (value) => decided(value).error !== undefined,
    },
  ];
}

function payloadOf<T extends object>(value: CelValue | undefined): T {
  return asOpaque(value).payload as T;
}

function decided(value: CelValue | undefined): AccessDecision {
  return payloadOf<AccessDecision>(value);
}

function pathCheck(value?: CelValue, path?: CelValue): CelValue {
  const text = asText(path);
  if (text.trim() === '') return evaluationError('path must not be empty');
  return opaque<PathCheck>(`${PREFIX}.PathCheck`, { ...payloadOf<Authorizer>(value), path: text });
}

function groupCheck(value?: CelValue, group?: CelValue): CelValue {
  return opaque<GroupCheck>(`${PREFIX}.GroupCheck`, {
    ...payloadOf<Authorizer>(value),
    group: asText(group),
  });
}

function serviceAccount(value?: CelValue, space?: CelValue, account?: CelValue): CelValue {
  const [namespace, name] = [asText(space), asText(account)];
  const nameErrors = dns1123SubdomainErrors(name);
  if (nameErrors.length > 0) return evaluationError(`Invalid service account name: ${nameErrors.join(', ')}`);
  const spaceErrors = dns1123LabelErrors(namespace);
  if (spaceErrors.length > 0) {
    return evaluationError(`Invalid service account namespace: ${spaceErrors.join(', ')}`);
  }
  const { decide } = payloadOf<Authorizer>(value);
  return opaque<Authorizer>(AUTHORIZER_TYPE, { decide, serviceAccount: { namespace, name } });
}

function resourceCheck(value?: CelValue, resource?: CelValue): CelValue {
  const text = asText(resource);
  if (text.trim() === '') return evaluationError('resource must not be empty');
  const { group, ...authorizer } = payloadOf<GroupCheck>(value);
  return opaque<ResourceRequest>(RESOURCE_CHECK_TYPE, {
    ...authorizer,
    resource: { group, resource: text, subresource: '', namespace: '', name: '' },
  });
}

function withField(value: CelValue | undefined, field: keyof ResourceCheck, text: string): CelValue {
  const request = payloadOf<ResourceRequest>(value);
  return opaque<ResourceRequest>(RESOURCE_CHECK_TYPE, {
    ...request,
    resource: { ...request.resource, [field]: text },
  });
}

function check(authorizer: Authorizer, question: AccessCheck): CelValue {
  const { serviceAccount: account } = authorizer;
  const decision = authorizer.decide(account ? { ...question, serviceAccount: account } : question);
  return opaque<AccessDecision>(`${PREFIX}.Decision`, decision);
}

function checkPath(value?: CelValue, verb?: CelValue): CelValue {
  const request = payloadOf<PathCheck>(value);
  return check(request, { verb: asText(verb), path: request.path });
}

function checkResource(value?: CelValue, verb?: CelValue): CelValue {
  const request = payloadOf<ResourceRequest>(value);
  return check(request, { verb: asText(verb), resource: request.resource });
}
