import { isObject } from '../patch/json-value.ts';
import { JsonPathError } from './jsonpath-error.ts';

export type JsonPathNode =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'range'; readonly over: PathNode; readonly body: readonly JsonPathNode[] }
  | PathNode;

export interface PathNode {
  readonly type: 'path';
  readonly from: 'root' | 'current';
  readonly steps: readonly JsonPathStep[];
}

export type FilterOperator = '==' | '!=' | '<' | '<=' | '>' | '>=';
export type FilterOperand = PathNode | { readonly type: 'value'; readonly value: string | number | boolean };

export type JsonPathStep =
  | { readonly type: 'self' | 'wildcard' | 'descend' }
  | { readonly type: 'field'; readonly name: string }
  | { readonly type: 'index'; readonly index: number }
  | { readonly type: 'slice'; readonly start?: number; readonly end?: number; readonly step?: number }
  | { readonly type: 'union'; readonly parts: readonly JsonPathStep[] }
  | {
      readonly type: 'filter';
      readonly left: FilterOperand;
      readonly operator?: FilterOperator;
      readonly right?: FilterOperand;
    };

/** The values that a path finds from `current` on; none where a field is missing. `root` is what `$` means. */
export function evaluate(path: PathNode, current: unknown, root: unknown): unknown[] {
  let found: unknown[] = [path.from === 'root' ? root : current];
  for (const step of path.steps) found = found.flatMap((value) => take(step, value, root));
  return found;
}

function take(step: JsonPathStep, value: unknown, root: unknown): unknown[] {
  switch (step.type) {
    case 'self':
      return [value];
    case 'wildcard':
      return members(value);
    case 'descend':
      return descendants(value);
    case 'field':
      return isObject(value) && Object.hasOwn(value, step.name) ? [value[step.name]] : [];
    case 'index':
      return element(step.index, elements(value));
    case 'slice':
      return slice(step, value);
    case 'union':
      return step.parts.flatMap((part) => take(part, value, root));
    default:
      return elements(value).filter((item) => passes(step, item, root));
  }
}

function element(index: number, list: readonly unknown[]): unknown[] {
  const position = index < 0 ? list.length + index : index;
  return position >= 0 && position < list.length ? [list[position]] : [];
}

function slice(
  { start, end, step = 1 }: { readonly start?: number; readonly end?: number; readonly step?: number },
  value: unknown,
): unknown[] {
  if (step <= 0) throw new JsonPathError('step must be > 0');
  return elements(value)
    .slice(start, end)
    .filter((_item, position) => position % step === 0);
}

function elements(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function members(value: unknown): unknown[] {
  if (Array.isArray(value)) return [...(value as unknown[])];
  if (!isObject(value)) return [];
  return Object.entries(value)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([, member]) => member);
}

function descendants(value: unknown): unknown[] {
  return [value, ...members(value).flatMap(descendants)];
}

type Filter = Extract<JsonPathStep, { readonly type: 'filter' }>;

function passes({ left, operator, right }: Filter, item: unknown, root: unknown): boolean {
  const leftValues = operandValues(left, item, root);
  if (operator === undefined || right === undefined) return leftValues.length > 0;
  const [a] = leftValues;
  const [b] = operandValues(right, item, root);
  if (a === undefined || b === undefined) return false;
  return compare(a, b, operator);
}

function operandValues(operand: FilterOperand, item: unknown, root: unknown): unknown[] {
  if (operand.type === 'value') return [operand.value];
  return evaluate(operand, item, root);
}

function compare(a: unknown, b: unknown, operator: FilterOperator): boolean {
  const order = ordered(a, b);
  switch (operator) {
    case '==':
      return order === 0;
    case '!=':
      return order !== 0;
    case '<':
      return order < 0;
    case '<=':
      return order <= 0;
    case '>':
      return order > 0;
    default:
      return order >= 0;
  }
}

/** NaN where the values cannot be compared. */
function ordered(a: unknown, b: unknown): number {
  if (typeof a === 'string' && typeof b === 'string') return a === b ? 0 : a < b ? -1 : 1;
  if (typeof a === 'boolean' && typeof b === 'boolean') return Number(a) - Number(b);
  const isNumeric = (value: unknown): value is number | bigint =>
    typeof value === 'number' || typeof value === 'bigint';
  if (isNumeric(a) && isNumeric(b)) return a < b ? -1 : a > b ? 1 : 0;
  return Number.NaN;
}
