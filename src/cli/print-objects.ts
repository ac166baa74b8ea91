import type { KubeObject } from '../machinery/object.ts';
import { toYaml } from '../machinery/yaml/to-yaml.ts';
import { compileCustomColumns } from '../printers/custom-columns.ts';
import { compileJsonPath } from '../machinery/jsonpath/jsonpath.ts';
import { toJson } from '../machinery/json/to-json.ts';
import type { OutputFormat } from './output-format.ts';
import type { ServedResource } from '../client/discovery.ts';
import { typeName } from './resource-args.ts';

/** An object with the type under which it was read. */
export interface FoundObject {
  readonly served: ServedResource;
  readonly object: KubeObject;
}

export interface ObjectStyle {
  readonly format: Exclude<OutputFormat, { readonly type: 'table' }>;
  /** Whether one object is printed as itself, or as the only item of a list. */
  readonly single: boolean;
  readonly noHeaders?: boolean;
  readonly showManagedFields?: boolean;
}

/** Objects as `-o json|yaml|name|jsonpath|custom-columns` shows them. */
export function printObjects(found: readonly FoundObject[], style: ObjectStyle): string {
  const { format } = style;
  if (format.type === 'name')
    return found.map(({ served, object }) => `${typeName(served)}/${object.metadata.name ?? ''}\n`).join('');
  const objects = found.map(({ object }) =>
    style.showManagedFields ? object : withoutManagedFields(object),
  );
  if (format.type === 'custom-columns')
    return compileCustomColumns(format.columns, { noHeaders: style.noHeaders === true }).print(objects);
  const [first] = objects;
  const value =
    style.single && first !== undefined
      ? first
      : { apiVersion: 'v1', items: objects, kind: 'List', metadata: { resourceVersion: '' } };
  if (format.type === 'jsonpath') return compileJsonPath(format.template).print(value);
  return format.type === 'json' ? toJson(value) : toYaml(value);
}

function withoutManagedFields(object: KubeObject): KubeObject {
  const { managedFields: _left, ...metadata } = object.metadata;
  return { ...object, metadata };
}
