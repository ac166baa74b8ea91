import type { CustomForm } from '../../api/custom-form.ts';
import type { SchemaTable } from '../../machinery/schema/schema.ts';
import type { Schema } from '../../machinery/schema/decode.ts';
import type { Expected } from './codec.ts';
import type { ServedVersion } from './served-resource.ts';

/** The body that writes the resource in this version. */
export function expectedBody(table: SchemaTable, served: ServedVersion): Expected {
  const { group, version, kind } = served.type;
  const { custom, schema } = served.version;
  return { table, message: schema, group, version, kind, ...(custom && { custom }) };
}

/** The message in which a resource is stored; custom resources are of none and write themselves. */
export interface StoredForm extends Schema {
  readonly custom?: CustomForm;
}

export function storedSchema(table: SchemaTable, served: ServedVersion): StoredForm {
  const { definition } = served.resource;
  const stored = definition.versions[definition.storage];
  const { schema, custom } = stored ?? served.version;
  return { table, message: schema, ...(custom && { custom }) };
}
