import { invalid, type FieldError } from '../../machinery/field-error.ts';
import type { CustomResourceSubresourceScale } from '../../api/apiextensions/v1.gen.ts';
import { goPrint, isObject } from '../../machinery/patch/json-value.ts';

/** What is wrong with the numbers that `scale` reads, in the words of upstream's `ValidateScaleSpec` and `ValidateScaleStatus`. */
export function scaleErrors(
  object: object,
  scale: CustomResourceSubresourceScale | undefined,
  part: 'spec' | 'status' | 'both',
): FieldError[] {
  if (!scale) return [];
  const errors: FieldError[] = [];
  if (part !== 'status') errors.push(...replicaErrors(object, scale.specReplicasPath));
  if (part !== 'spec') {
    errors.push(...replicaErrors(object, scale.statusReplicasPath));
    const path = scale.labelSelectorPath;
    const found = path ? nested(object, path, 'string') : {};
    if (path && found.problem !== undefined) errors.push(invalid(path, '', found.problem));
  }
  return errors;
}

function replicaErrors(object: object, path: string): FieldError[] {
  const { value, problem } = nested(object, path, 'int64');
  if (problem !== undefined) return [invalid(path, 0, problem)];
  if (typeof value !== 'number' && typeof value !== 'bigint') return [];
  if (value < 0) return [invalid(path, value, 'should be a non-negative integer')];
  return value > 2_147_483_647 ? [invalid(path, value, 'should be less than or equal to 2147483647')] : [];
}

interface Nested {
  readonly value?: unknown;
  readonly problem?: string;
}

/** Go's `unstructured.NestedInt64` and `NestedString`. */
function nested(object: object, path: string, wanted: 'int64' | 'string'): Nested {
  const steps = path.replace(/^\./, '').split('.');
  let at: unknown = object;
  for (const [index, step] of steps.entries()) {
    if (at === null || at === undefined) return {};
    if (!isObject(at)) {
      return { problem: accessorError(steps.slice(0, index + 1), at, 'map[string]interface{}') };
    }
    at = Object.hasOwn(at, step) ? at[step] : undefined;
  }
  if (at === undefined) return {};
  if (goTypeOf(at) !== wanted) return { problem: accessorError(steps, at, wanted) };
  return { value: at };
}

function accessorError(steps: readonly string[], value: unknown, wanted: string): string {
  return `.${steps.join('.')} accessor error: ${goPrint(value)} is of the type ${goTypeOf(value)}, expected ${wanted}`;
}

function goTypeOf(value: unknown): string {
  if (value === null) return '<nil>';
  if (Array.isArray(value)) return '[]interface {}';
  if (typeof value === 'bigint') return 'int64';
  if (typeof value === 'number') return Number.isInteger(value) ? 'int64' : 'float64';
  if (typeof value === 'boolean') return 'bool';
  return typeof value === 'string' ? 'string' : 'map[string]interface {}';
}
