import { invalid, required, duplicate, tooMany, type FieldError } from '../../machinery/field-error.ts';
import type { CustomResourceDefinitionVersion, JSONSchemaProps } from './v1.gen.ts';

const maxFields = 8;

/** What is wrong with the fields of a version that selectors may name. */
export function selectableFieldErrors(
  { selectableFields = [], schema }: CustomResourceDefinitionVersion,
  path: string,
): FieldError[] {
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  const props = schema?.openAPIV3Schema;
  if (selectableFields.length > maxFields) errors.push(tooMany(path, selectableFields.length, maxFields));
  selectableFields.forEach(({ jsonPath }, index) => {
    const at = `${path}[${index}].jsonPath`;
    if (!jsonPath) {
      errors.push(required(at));
      return;
    }
    const problem = pathProblem(jsonPath, props);
    if (problem !== undefined) errors.push(invalid(at, jsonPath, problem));
    else if (seen.has(jsonPath)) errors.push(duplicate(at, jsonPath));
    seen.add(jsonPath);
  });
  return errors;
}

function pathProblem(path: string, schema: JSONSchemaProps | undefined): string | undefined {
  if (!path.startsWith('.')) {
    const first = /^[^.[]+/.exec(path)?.[0] ?? path;
    return `is an invalid path: expected [ or . but got: ${first}`;
  }
  const steps = path.slice(1).split('.');
  if (steps[0] === 'metadata') return 'is an invalid path: does not refer to a valid field';
  let at: JSONSchemaProps | undefined = schema;
  for (const step of steps) {
    if (/[[\]]/.test(step)) return 'is an invalid path: does not refer to a valid field';
    at = at?.properties?.[step];
  }
  if (!at) return 'is an invalid path: does not refer to a valid field';
  return ['string', 'boolean', 'integer'].includes(at.type ?? '')
    ? undefined
    : 'must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.';
}
