import { forbidden, notSupported, type FieldError } from '../../machinery/field-error.ts';
import { newBadRequest, newInvalid, newUnknownError } from '../../machinery/status/errors.ts';
import type { ApiRequest } from '../../machinery/transport.ts';
import { decodeContinue, type ContinueToken } from './continue-token.ts';

/** The parameters of a LIST that say which state to read and how much of it. */
export interface ListOptions {
  /** 0 is no limit. */
  readonly limit: number;
  readonly continue?: ContinueToken;
  /** Absent: the newest state. 0: any state. */
  readonly revision?: number;
  readonly match: 'Exact' | 'NotOlderThan';
}

/** Reads a `resourceVersion` parameter; undefined when it is absent or empty. */
export function parseRevision(text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined;
  if (!/^\d+$/.test(text)) {
    throw newUnknownError(
      `resourceVersion: Invalid value: ${JSON.stringify(text)}: strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`,
    );
  }
  return Number(text);
}

function parseCount(name: string, text: string | undefined): number {
  if (text === undefined || text === '') return 0;
  if (!/^[+-]?\d+$/.test(text)) {
    throw newBadRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
  }
  const count = Number(text);
  if (count < 0 && name === 'limit') return 0;
  return count;
}

/** What is wrong with the combination of version parameters, as upstream validates `ListOptions`. */
function versionErrors(request: ApiRequest): FieldError[] {
  const { resourceVersion = '', resourceVersionMatch = '', continue: token = '' } = request.params ?? {};
  const { sendInitialEvents } = request.params ?? {};
  const watch = request.verb === 'watch' && request.params?.['watch'] !== 'false';
  const path = 'resourceVersionMatch';
  const errors: FieldError[] = [];
  if (watch) {
    if (sendInitialEvents !== undefined) {
      if (resourceVersionMatch !== 'NotOlderThan') {
        errors.push(
          forbidden(path, 'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan'),
        );
      }
    } else if (resourceVersionMatch !== '') {
      errors.push(
        forbidden(path, 'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided'),
      );
    }
    if (token !== '') {
      errors.push(forbidden(path, 'resourceVersionMatch is forbidden when continue is provided'));
    }
    if (resourceVersionMatch !== '' && resourceVersionMatch !== 'NotOlderThan') {
      errors.push(notSupported(path, resourceVersionMatch, ['NotOlderThan']));
    }
    return errors;
  }
  if (sendInitialEvents !== undefined) {
    errors.push(forbidden('sendInitialEvents', 'sendInitialEvents is forbidden for list'));
  }
  if (resourceVersionMatch === '') return errors;
  if (resourceVersion === '') {
    errors.push(forbidden(path, 'resourceVersionMatch is forbidden unless resourceVersion is provided'));
  }
  if (token !== '')
    errors.push(forbidden(path, 'resourceVersionMatch is forbidden when continue is provided'));
  if (resourceVersionMatch !== 'Exact' && resourceVersionMatch !== 'NotOlderThan') {
    errors.push(notSupported(path, resourceVersionMatch, ['Exact', 'NotOlderThan', '']));
  }
  if (resourceVersionMatch === 'Exact' && resourceVersion === '0') {
    errors.push(forbidden(path, 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'));
  }
  return errors;
}

/** Throws the Invalid of a combination that makes no sense. */
export function checkListOptions(request: ApiRequest): void {
  const errors = versionErrors(request);
  if (errors.length > 0) throw newInvalid({ group: 'meta.k8s.io', kind: 'ListOptions' }, '', errors);
}

/** The checked parameters of a LIST. Throws a BadRequest or an Invalid. */
export function listOptions(request: ApiRequest): ListOptions {
  const params = request.params ?? {};
  checkListOptions(request);
  // Any state will do: upstream answers from its cache then, which knows no pages.
  const limit = params['resourceVersion'] === '0' ? 0 : parseCount('limit', params['limit']);
  parseCount('timeoutSeconds', params['timeoutSeconds']);
  const token = params['continue'] ? decodeContinue(params['continue']) : undefined;
  if (token && params['resourceVersion'] && params['resourceVersion'] !== '0') {
    throw newBadRequest('specifying resource version is not allowed when using continue');
  }
  const revision = token ? undefined : listRevision(params['resourceVersion']);
  const exact =
    params['resourceVersionMatch'] === 'Exact' ||
    (params['resourceVersionMatch'] === undefined && limit > 0 && revision !== undefined && revision > 0);
  return {
    limit,
    ...(token ? { continue: token } : {}),
    ...(revision === undefined ? {} : { revision }),
    match: exact ? 'Exact' : 'NotOlderThan',
  };
}

function listRevision(text: string | undefined): number | undefined {
  if (text !== undefined && text !== '' && !/^\d+$/.test(text)) {
    throw newBadRequest(
      `invalid resource version: resourceVersion: Invalid value: ${JSON.stringify(text)}: strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`,
    );
  }
  return parseRevision(text);
}

/** How long a watch may last, in seconds; undefined when the request does not say. */
export function timeoutSeconds(request: ApiRequest): number | undefined {
  const seconds = parseCount('timeoutSeconds', request.params?.['timeoutSeconds']);
  return seconds > 0 ? seconds : undefined;
}
