import { posix } from 'node:path';
import { JsonSyntaxError } from '../../machinery/json/json-error.ts';
import { parseJson } from '../../machinery/json/parse-json.ts';
import { newBadRequest } from '../../machinery/status/errors.ts';

/** Where the next page of a LIST starts, in upstream's format: the version of the first page and the last key seen. */
export interface ContinueToken {
  /** -1 when the list need not be consistent with the pages before. */
  readonly revision: number;
  /** The key of the last object returned, below the prefix of the list. */
  readonly after: string;
}

const format = 'meta.k8s.io/v1';

export function encodeContinue(token: ContinueToken): string {
  const text = JSON.stringify({ v: format, rv: token.revision, start: `${token.after}\u0000` });
  return Buffer.from(text).toString('base64url');
}

/** Throws a BadRequest for what {@link encodeContinue} did not make. */
export function decodeContinue(text: string): ContinueToken {
  let token: unknown;
  try {
    token = parseJson(Buffer.from(text, 'base64url')).value;
  } catch (error) {
    if (!(error instanceof JsonSyntaxError)) throw error;
    throw newBadRequest(`invalid continue token: continue key is not valid: ${error.message}`);
  }
  const { v, rv, start } = (typeof token === 'object' && token !== null ? token : {}) as Record<
    string,
    unknown
  >;
  if (v !== format) {
    throw newBadRequest(
      `invalid continue token: continue key is not valid: server does not recognize this encoded version ${typeof v === 'string' ? v : ''}`,
    );
  }
  if (typeof rv !== 'number' || rv === 0 || !Number.isSafeInteger(rv)) {
    throw newBadRequest(
      'invalid continue token: continue key is not valid: incorrect encoded start resourceVersion (version meta.k8s.io/v1)',
    );
  }
  if (typeof start !== 'string' || start === '') {
    throw newBadRequest(
      'invalid continue token: continue key is not valid: encoded start key empty (version meta.k8s.io/v1)',
    );
  }
  const path = start.startsWith('/') ? start : `/${start}`;
  if (start.startsWith('/') || posix.resolve('/', path) !== path)
    throw newBadRequest(`invalid continue token: continue key is not valid: ${start}`);
  return { revision: rv, after: start.endsWith('\u0000') ? start.slice(0, -1) : start };
}
