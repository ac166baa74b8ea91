import type { SchemaTable } from '../../machinery/schema/schema.ts';
import { StatusError } from '../../machinery/status-error.ts';
import { decodeBody } from '../registry/codec.ts';
import { expectedBody } from '../registry/expected-body.ts';
import type { RequestBody } from '../registry/request-context.ts';
import type { ServedVersion } from '../registry/served-resource.ts';

/** What was sent, as an object; undefined when it cannot be read. */
export function bodyObject(body: RequestBody, served: ServedVersion, table: SchemaTable): unknown {
  if (body.type === 'object') return body.value;
  try {
    if (body.mediaType === 'application/json') return JSON.parse(body.bytes.toString()) as unknown;
    return decodeBody(body, expectedBody(table, served)).object;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof StatusError) return undefined;
    throw error;
  }
}
