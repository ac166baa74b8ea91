import type { FieldError } from '../field-error.ts';
import { goQuote } from '../go-quote.ts';
import { type GroupKind, type GroupResource, qualified } from '../group-resource.ts';
import type { Status, StatusDetails } from '../meta/v1.gen.ts';
import { StatusError } from '../status-error.ts';

/** The detail of an optimistic-lock failure, as upstream's registry words it. */
export const OPTIMISTIC_LOCK_MESSAGE =
  'the object has been modified; please apply your changes to the latest version and try again';

interface Failure {
  readonly code: number;
  readonly reason: string;
  readonly message: string;
  readonly details?: StatusDetails;
}

function failure({ code, reason, message, details }: Failure): StatusError {
  const kept = Object.fromEntries(
    Object.entries(details ?? {}).filter(([, value]) => value !== '' && value !== undefined),
  ) as StatusDetails;
  const status: Status & Failure = {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message,
    reason,
    ...(Object.keys(kept).length > 0 ? { details: kept } : {}),
    code,
  };
  return new StatusError(status);
}

function about({ group, resource }: GroupResource, name: string): StatusDetails {
  return { name, group, kind: resource };
}

/** `pods "x" not found` (404 NotFound). */
export function newNotFound(resource: GroupResource, name: string): StatusError {
  return failure({
    code: 404,
    reason: 'NotFound',
    message: `${qualified(resource.resource, resource.group)} ${goQuote(name)} not found`,
    details: about(resource, name),
  });
}

/** `pods "x" already exists` (409 AlreadyExists). */
export function newAlreadyExists(resource: GroupResource, name: string): StatusError {
  return failure({
    code: 409,
    reason: 'AlreadyExists',
    message: `${qualified(resource.resource, resource.group)} ${goQuote(name)} already exists`,
    details: about(resource, name),
  });
}

/** What a create meets when an object of that name still waits for its finalizers. */
export function newObjectBeingDeleted(resource: GroupResource, name: string): StatusError {
  return failure({
    code: 409,
    reason: 'AlreadyExists',
    message: `object is being deleted: ${qualified(resource.resource, resource.group)} ${goQuote(name)} already exists`,
    details: about(resource, name),
  });
}

/** A generated name was taken; the client is asked to try again after a second. */
export function newGenerateNameConflict(resource: GroupResource, name: string): StatusError {
  return failure({
    code: 409,
    reason: 'AlreadyExists',
    message: `${qualified(resource.resource, resource.group)} ${goQuote(name)} already exists, the server was not able to generate a unique name for the object`,
    details: { ...about(resource, name), retryAfterSeconds: 1 },
  });
}

/** `Operation cannot be fulfilled on pods "x": …` (409 Conflict). */
export function newConflict(
  resource: GroupResource,
  name: string,
  detail: string = OPTIMISTIC_LOCK_MESSAGE,
): StatusError {
  return failure({
    code: 409,
    reason: 'Conflict',
    message: `Operation cannot be fulfilled on ${qualified(resource.resource, resource.group)} ${goQuote(name)}: ${detail}`,
    details: about(resource, name),
  });
}

/** An apply that would take fields from others: one cause a field (409 Conflict). */
export function newApplyConflict(causes: NonNullable<StatusDetails['causes']>, message: string): StatusError {
  return failure({ code: 409, reason: 'Conflict', message, details: { causes } });
}

/** Every field error as a cause, and all of them in one message: `Deployment.apps "x" is invalid: [a, b]` (422). */
export function newInvalid(kind: GroupKind, name: string, errors: readonly FieldError[]): StatusError {
  const detail = aggregate(errors.map((error) => `${error.field}: ${error.message}`));
  return failure({
    code: 422,
    reason: 'Invalid',
    message: `${qualified(kind.kind, kind.group)} ${goQuote(name)} is invalid${detail === '' ? '' : `: ${detail}`}`,
    details: {
      name,
      group: kind.group,
      kind: kind.kind,
      causes: errors.map(({ reason, message, field }) => ({ reason, message, field })),
    },
  });
}

/** Distinct messages the way Go's aggregate prints them: one alone, several as `[a, b]`. */
export function aggregate(messages: readonly string[]): string {
  const distinct = [...new Set(messages)];
  return distinct.length > 1 ? `[${distinct.join(', ')}]` : (distinct[0] ?? '');
}

/** `pods "x" is forbidden: …` (403); without a resource `forbidden: …`, without a name `pods is forbidden: …`. */
export function newForbidden(resource: GroupResource, name: string, detail: string): StatusError {
  const subject = [
    qualified(resource.resource, resource.group),
    ...(name === '' ? [] : [goQuote(name)]),
    'is forbidden',
  ].join(' ');
  return failure({
    code: 403,
    reason: 'Forbidden',
    message: `${resource.resource === '' ? 'forbidden' : subject}: ${detail}`,
    details: about(resource, name),
  });
}

/** 400 BadRequest, with the message as it is. */
export function newBadRequest(message: string): StatusError {
  return failure({ code: 400, reason: 'BadRequest', message });
}

/** 401; what a server says to credentials it does not accept. */
export function newUnauthorized(message: string = 'Unauthorized'): StatusError {
  return failure({ code: 401, reason: 'Unauthorized', message });
}

/** 503. */
export function newServiceUnavailable(message: string): StatusError {
  return failure({ code: 503, reason: 'ServiceUnavailable', message });
}

/** 429; `retryAfterSeconds` of 0 is not told. */
export function newTooManyRequests(
  message: string,
  details: Pick<StatusDetails, 'causes' | 'retryAfterSeconds'> = {},
): StatusError {
  const { retryAfterSeconds, causes } = details;
  return failure({
    code: 429,
    reason: 'TooManyRequests',
    message,
    details: { ...(causes && { causes }), ...(retryAfterSeconds && { retryAfterSeconds }) },
  });
}

/** 405 for an HTTP method that a path does not serve. */
export function newMethodNotAllowed(): StatusError {
  return newGenericServerResponse({ code: 405 });
}

/** 406: none of the media types the client accepts can be produced. */
export function newNotAcceptable(accepted: readonly string[]): StatusError {
  return failure({
    code: 406,
    reason: 'NotAcceptable',
    message: `only the following media types are accepted: ${accepted.join(', ')}`,
  });
}

/** 415: the body's media type is not understood. */
export function newUnsupportedMediaType(accepted: readonly string[]): StatusError {
  return failure({
    code: 415,
    reason: 'UnsupportedMediaType',
    message: `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`,
  });
}

/** 410 Expired, with the message as it is (an expired continue token). */
export function newResourceExpired(message: string): StatusError {
  return failure({ code: 410, reason: 'Expired', message });
}

/** 410 Expired of a watch or list that starts before what is kept: `too old resource version: 1 (5)`. */
export function newTooOldResourceVersion(requested: string, oldest: string): StatusError {
  return newResourceExpired(`too old resource version: ${requested} (${oldest})`);
}

/** 504: a read asked for a revision that has not been reached; the client may try again after a second. */
export function newTooLargeResourceVersion(requested: string, current: string): StatusError {
  return failure({
    code: 504,
    reason: 'Timeout',
    message: `Timeout: Too large resource version: ${requested}, current: ${current}`,
    details: {
      causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
      retryAfterSeconds: 1,
    },
  });
}

/** 504 `Timeout: …`: the server did not finish in time. */
export function newTimeout(detail: string): StatusError {
  return failure({ code: 504, reason: 'Timeout', message: `Timeout: ${detail}` });
}

/** 413 `Request entity too large: …`. */
export function newRequestEntityTooLarge(detail: string): StatusError {
  return failure({
    code: 413,
    reason: 'RequestEntityTooLarge',
    message: `Request entity too large: ${detail}`,
  });
}

/** 500 `Internal error occurred: …`. */
export function newInternalError(detail: string): StatusError {
  return failure({
    code: 500,
    reason: 'InternalError',
    message: `Internal error occurred: ${detail}`,
    details: { causes: [{ message: detail }] },
  });
}

/** 500 without a reason: how upstream answers with an error that no factory made. */
export function newUnknownError(message: string): StatusError {
  return failure({ code: 500, reason: '', message });
}

/** What is known of an answer that carries no Status. */
export interface ServerResponse {
  readonly code: number;
  /** HTTP method. */
  readonly method?: string;
  readonly resource?: GroupResource;
  readonly name?: string;
  /** The body's text. */
  readonly body?: string;
  readonly retryAfterSeconds?: number;
}

/** The Status that stands for a bare HTTP code; the server answers unknown paths and methods with it, too. */
export function newGenericServerResponse(response: ServerResponse): StatusError {
  const { code, method, resource, name = '', body = '', retryAfterSeconds = 0 } = response;
  const [reason, text] = genericAnswer(code, method, body);
  const target = resource
    ? [qualified(resource.resource, resource.group), name].filter(Boolean).join(' ')
    : '';
  return failure({
    code,
    reason,
    message: target === '' ? text : `${text} (${(method ?? '').toLowerCase()} ${target})`,
    details: {
      ...(resource ? about(resource, name) : {}),
      ...(retryAfterSeconds > 0 ? { retryAfterSeconds } : {}),
    },
  });
}

function genericAnswer(code: number, method: string | undefined, body: string): readonly [string, string] {
  switch (code) {
    case 400:
      return ['BadRequest', 'the server rejected our request for an unknown reason'];
    case 401:
      return ['Unauthorized', 'the server has asked for the client to provide credentials'];
    case 403:
      return ['Forbidden', body];
    case 404:
      return ['NotFound', 'the server could not find the requested resource'];
    case 405:
      return ['MethodNotAllowed', 'the server does not allow this method on the requested resource'];
    case 406:
      return [
        'NotAcceptable',
        body || 'the server was unable to respond with a content type that the client supports',
      ];
    case 409:
      return [method === 'POST' ? 'AlreadyExists' : 'Conflict', 'the server reported a conflict'];
    case 415:
      return ['UnsupportedMediaType', body];
    case 422:
      return ['Invalid', 'the server rejected our request due to an error in our request'];
    case 429:
      return [
        'TooManyRequests',
        'the server has received too many requests and has asked us to try again later',
      ];
    case 503:
      return ['ServiceUnavailable', 'the server is currently unable to handle the request'];
    case 504:
      return [
        'Timeout',
        'the server was unable to return a response in the time allotted, but may still be processing the request',
      ];
    default:
      return code >= 500
        ? [
            'InternalError',
            `an error on the server (${goQuote(body)}) has prevented the request from succeeding`,
          ]
        : ['', `the server responded with the status code ${code} but did not return more information`];
  }
}
