import type { DeepMutable, KubeObject } from '../../machinery/object.ts';
import type { SchemaTable } from '../../machinery/schema/schema.ts';
import { StatusError } from '../../machinery/status-error.ts';
import { parseYaml } from '../../machinery/yaml/parse-yaml.ts';
import { YamlError } from '../../machinery/yaml/yaml-error.ts';
import { decodeBody } from '../registry/codec.ts';
import { expectedBody } from '../registry/expected-body.ts';
import type { RequestBody } from '../registry/request-context.ts';
import type { ServedVersion } from '../registry/served-resource.ts';
import type { ResourceInfo } from './request-info.ts';

/**
 * What was sent, as an object; undefined when it cannot be read. Of a whole object what is not known is dropped and what is
 * not said is completed, as upstream's audit log shows it; patches and the bodies of subresources are as they were sent.
 */
export function bodyObject(
  body: RequestBody,
  served: ServedVersion,
  { table, info }: { readonly table: SchemaTable; readonly info: ResourceInfo },
): unknown {
  if (body.type === 'object') return body.value;
  const isWhole = info.verb === 'create' || info.verb === 'update';
  const isOfResource = info.subresource === undefined || info.subresource === 'status';
  try {
    // What is applied is YAML, of which JSON is a part.
    if (body.mediaType === 'application/json' && !(isWhole && isOfResource))
      return parseYaml(body.bytes.toString()).value;
    const { object } = decodeBody(body, expectedBody(table, served));
    if (isWhole && isOfResource) served.version.defaults?.(object as DeepMutable<KubeObject>);
    return object;
  } catch (error) {
    if (error instanceof YamlError || error instanceof StatusError) return undefined;
    throw error;
  }
}
