import type { SchemaTable } from '../../machinery/schema/schema.ts';
import { StatusError } from '../../machinery/status-error.ts';
import { parseYaml } from '../../machinery/yaml/parse-yaml.ts';
import { YamlError } from '../../machinery/yaml/yaml-error.ts';
import { decodeBody } from '../registry/codec.ts';
import { expectedBody } from '../registry/expected-body.ts';
import type { RequestBody } from '../registry/request-context.ts';
import type { ServedVersion } from '../registry/served-resource.ts';

/** What was sent, as an object; undefined when it cannot be read. */
export function bodyObject(body: RequestBody, served: ServedVersion, table: SchemaTable): unknown {
  if (body.type === 'object') return body.value;
  try {
    // What is applied is YAML, of which JSON is a part.
    if (body.mediaType === 'application/json') return parseYaml(body.bytes.toString()).value;
    return decodeBody(body, expectedBody(table, served)).object;
  } catch (error) {
    if (error instanceof YamlError || error instanceof StatusError) return undefined;
    throw error;
  }
}
