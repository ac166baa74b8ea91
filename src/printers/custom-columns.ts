import { goPrint } from '../machinery/patch/json-value.ts';
import { alignColumns } from './align-columns.ts';
import { compileJsonPath, relaxedJsonPath, type JsonPath } from '../machinery/jsonpath/jsonpath.ts';
import { JsonPathError } from '../machinery/jsonpath/jsonpath-error.ts';

/** Columns of `-o custom-columns=NAME:.metadata.name,NODE:.spec.nodeName`. */
export interface CustomColumns {
  print(objects: readonly unknown[]): string;
}

/** Compiles the columns. Throws {@link JsonPathError}. */
export function compileCustomColumns(
  specification: string,
  options: { readonly noHeaders?: boolean } = {},
): CustomColumns {
  const columns = specification.split(',').map(compileColumn);
  return {
    print(objects) {
      const rows = objects.map((object) => columns.map(({ path }) => cell(path, object)));
      return alignColumns(options.noHeaders ? rows : [columns.map(({ header }) => header), ...rows]);
    },
  };
}

function compileColumn(text: string): { readonly header: string; readonly path: JsonPath } {
  const colon = text.indexOf(':');
  if (colon <= 0 || colon === text.length - 1)
    throw new JsonPathError(`unexpected custom-columns spec: ${text}, expected <header>:<json-path-expr>`);
  return { header: text.slice(0, colon), path: compileJsonPath(relaxedJsonPath(text.slice(colon + 1))) };
}

function cell(path: JsonPath, object: unknown): string {
  const values = path.find(object);
  return values.length === 0 ? '<none>' : values.map(goPrint).join(',');
}
