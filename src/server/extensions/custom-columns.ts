import { humanDuration } from '../../machinery/duration.ts';
import type { Column } from '../../api/resource.ts';
import type { CustomResourceColumnDefinition } from '../../api/apiextensions/v1.gen.ts';
import { compileJsonPath } from '../../machinery/jsonpath/jsonpath.ts';
import { JsonPathError } from '../../machinery/jsonpath/jsonpath-error.ts';
import { scalarText } from '../../machinery/jsonpath/scalar-text.ts';
import type { KubeObject } from '../../machinery/object.ts';

const creation: CustomResourceColumnDefinition = {
  name: 'Age',
  type: 'date',
  jsonPath: '.metadata.creationTimestamp',
};

/** The columns of a custom resource: its name and what its definition says, else its age. */
export function customColumns(
  definitions: readonly CustomResourceColumnDefinition[] | undefined,
): Column<KubeObject>[] {
  const shown = definitions && definitions.length > 0 ? definitions : [creation];
  return [
    { name: 'Name', type: 'string', format: 'name', cell: ({ metadata }) => metadata.name ?? '' },
    ...shown.map(columnOf),
  ];
}

function columnOf(definition: CustomResourceColumnDefinition): Column<KubeObject> {
  const { name, format, priority, description, jsonPath } = definition;
  const type = definition.type as Column<KubeObject>['type'];
  const fallback =
    definition === creation ? '' : `Custom resource definition column (in JSONPath format): ${jsonPath}`;
  let find: ((object: KubeObject) => unknown[]) | undefined;
  return {
    name,
    type,
    ...(format === undefined ? {} : { format }),
    ...(priority === undefined ? {} : { priority }),
    description: description || fallback,
    cell(object, now) {
      find ??= finder(jsonPath);
      const [value] = find(object);
      return value === undefined || value === null ? null : cellOf(value, type, now);
    },
  };
}

/** What a path finds in an object; one that is none finds nothing. */
export function finder(path: string): (object: KubeObject) => unknown[] {
  try {
    const compiled = compileJsonPath(`{${path}}`);
    return (object) => {
      try {
        return compiled.find(object);
      } catch (error) {
        if (error instanceof JsonPathError) return [];
        throw error;
      }
    };
  } catch (error) {
    if (error instanceof JsonPathError) return () => [];
    throw error;
  }
}

function cellOf(value: unknown, type: string, now: number): string | number | boolean | null {
  switch (type) {
    case 'string':
      return scalarText(value);
    case 'integer':
      return typeof value === 'number' || typeof value === 'bigint' ? Math.trunc(Number(value)) : null;
    case 'number':
      return typeof value === 'number' || typeof value === 'bigint' ? Number(value) : null;
    case 'boolean':
      return typeof value === 'boolean' ? value : null;
    case 'date':
      return typeof value === 'string' ? dateCell(value, now) : null;
    default:
      return null;
  }
}

function dateCell(text: string, now: number): string {
  if (text === '') return '<unknown>';
  const time = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/.test(text)
    ? Date.parse(text)
    : Number.NaN;
  return Number.isNaN(time) ? '<invalid>' : humanDuration(now - time);
}
