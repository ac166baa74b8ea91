import type { SchemaTable } from '../../machinery/schema/schema.ts';
import type { Schema } from '../../machinery/schema/decode.ts';
import type { Expected } from './codec.ts';
import type { ServedVersion } from './served-resource.ts';

/** The body that writes the resource in this version. */
export function expectedBody(table: SchemaTable, served: ServedVersion): Expected {
  const { group, version, kind } = served.type;
  return { table, message: served.version.schema, group, version, kind };
}

/** The message in which the resource is stored. */
export function storedSchema(table: SchemaTable, served: ServedVersion): Schema {
  const { definition } = served.resource;
  const stored = definition.versions[definition.storage];
  return { table, message: (stored ?? served.version).schema };
}
