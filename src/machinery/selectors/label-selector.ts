import { labelValueErrors, qualifiedNameErrors } from '../validation/names.ts';
import { type FieldError, forbidden, invalid, required } from '../field-error.ts';
import type { LabelSelector, LabelSelectorRequirement } from '../meta/v1.gen.ts';

/** How a requirement compares: the query syntax's operators by their internal names. */
export type Operator = 'in' | 'notin' | '=' | '==' | '!=' | 'exists' | '!' | 'gt' | 'lt';

/** One condition on one label. `values` are distinct and in ascending order. */
export interface Requirement {
  readonly key: string;
  readonly operator: Operator;
  readonly values: readonly string[];
}

/** Conditions that must all hold, by ascending key; none select everything. */
export interface Selector {
  readonly requirements: readonly Requirement[];
  /** Matches no labels at all (an absent `LabelSelector`). */
  readonly nothing?: boolean;
}

/** Selects everything. */
export const EVERYTHING: Selector = { requirements: [] };

/** Selects nothing. */
export const NOTHING: Selector = { requirements: [], nothing: true };

type Labels = Readonly<Record<string, string>>;

/** Whether the labels meet every requirement. */
export function selectorMatches(selector: Selector, labels: Labels | undefined): boolean {
  return !selector.nothing && selector.requirements.every((requirement) => meets(requirement, labels ?? {}));
}

function meets({ key, operator, values }: Requirement, labels: Labels): boolean {
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
  switch (operator) {
    case 'in':
    case '=':
    case '==':
      return value !== undefined && values.includes(value);
    case 'notin':
    case '!=':
      return value === undefined || !values.includes(value);
    case 'exists':
      return value !== undefined;
    case '!':
      return value === undefined;
    default: {
      const [limit] = values;
      if (value === undefined || limit === undefined || !isInteger(value)) return false;
      return operator === 'gt' ? BigInt(value) > BigInt(limit) : BigInt(value) < BigInt(limit);
    }
  }
}

function isInteger(text: string): boolean {
  return /^[-+]?[0-9]+$/.test(text);
}

/** The requirement, or the first thing wrong with it in upstream's words. */
export function newRequirement(
  key: string,
  operator: Operator,
  values: readonly string[],
): Requirement | { readonly error: string } {
  const [keyError] = qualifiedNameErrors(key);
  if (keyError !== undefined) return failed([invalid('<nil>', key, keyError)]);
  const errors: FieldError[] = [];
  if ((operator === 'in' || operator === 'notin') && values.length === 0) {
    errors.push(invalid('values', [], "for 'in', 'notin' operators, values set can't be empty"));
  }
  if ((operator === '=' || operator === '==' || operator === '!=') && values.length !== 1) {
    errors.push(invalid('values', values, 'exact-match compatibility requires one single value'));
  }
  if ((operator === 'exists' || operator === '!') && values.length > 0) {
    errors.push(invalid('values', values, 'values set must be empty for exists and does not exist'));
  }
  if (operator === 'gt' || operator === 'lt') {
    if (values.length !== 1) {
      errors.push(invalid('values', values, "for 'Gt', 'Lt' operators, exactly one value is required"));
    }
    for (const [index, value] of values.entries()) {
      if (!isInteger(value)) {
        errors.push(
          invalid(`values[${index}]`, value, "for 'Gt', 'Lt' operators, the value must be an integer"),
        );
      }
    }
  }
  for (const [index, value] of values.entries()) {
    const [message] = labelValueErrors(value);
    if (message !== undefined) errors.push(invalid(`values[${index}][${key}]`, value, message));
  }
  return errors.length > 0 ? failed(errors) : { key, operator, values: [...new Set(values)].sort() };
}

function failed(errors: readonly FieldError[]): { readonly error: string } {
  const messages = errors.map(({ field, message }) => `${field}: ${message}`);
  return { error: messages.length > 1 ? `[${messages.join(', ')}]` : (messages[0] ?? '') };
}

const OBJECT_OPERATORS: Readonly<Record<string, Operator>> = {
  In: 'in',
  NotIn: 'notin',
  Exists: 'exists',
  DoesNotExist: '!',
};

/**
 * The selector that an object's `LabelSelector` means: absent selects nothing, empty everything. The object must have
 * passed {@link validateLabelSelector}; throws `RangeError` otherwise.
 */
export function selectorFrom(selector: LabelSelector | undefined): Selector {
  if (!selector) return NOTHING;
  const requirements = [
    ...Object.entries(selector.matchLabels ?? {}).map(([key, value]): [string, Operator, string[]] => [
      key,
      '=',
      [value],
    ]),
    ...(selector.matchExpressions ?? []).map(
      ({ key, operator, values }): [string, Operator, readonly string[]] => {
        const known = OBJECT_OPERATORS[operator];
        if (!known)
          throw new RangeError(`${JSON.stringify(operator)} is not a valid label selector operator`);
        return [key, known, values ?? []];
      },
    ),
  ].map(([key, operator, values]) => {
    const requirement = newRequirement(key, operator, values);
    if ('error' in requirement) throw new RangeError(requirement.error);
    return requirement;
  });
  return { requirements: sorted(requirements) };
}

/** The selector of a plain map (`spec.selector` of services and replication controllers): absent selects nothing. */
export function selectorFromMap(labels: Labels | undefined): Selector {
  if (!labels) return NOTHING;
  const requirements = Object.entries(labels).map(([key, value]): Requirement => ({
    key,
    operator: '=',
    values: [value],
  }));
  return { requirements: sorted(requirements) };
}

/** By ascending key, requirements of one key in the given order. */
export function sorted(requirements: readonly Requirement[]): Requirement[] {
  return requirements.toSorted((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
}

/** The query syntax of a selector, as upstream prints it: `app=web,tier in (a,b),!old`. */
export function printSelector(selector: Selector): string {
  return selector.requirements.map(printRequirement).join(',');
}

function printRequirement({ key, operator, values }: Requirement): string {
  switch (operator) {
    case 'exists':
      return key;
    case '!':
      return `!${key}`;
    case 'in':
    case 'notin':
      return `${key} ${operator} (${values.join(',')})`;
    case 'gt':
      return `${key}>${values.join(',')}`;
    case 'lt':
      return `${key}<${values.join(',')}`;
    default:
      return `${key}${operator}${values.join(',')}`;
  }
}

/** Everything wrong with a `LabelSelector` of an object, in upstream's order. */
export function validateLabelSelector(selector: LabelSelector | undefined, path: string): FieldError[] {
  if (!selector) return [];
  const errors: FieldError[] = [];
  for (const [key, value] of Object.entries(selector.matchLabels ?? {})) {
    const at = `${path}.matchLabels`;
    errors.push(...qualifiedNameErrors(key).map((message) => invalid(at, key, message)));
    errors.push(...labelValueErrors(value).map((message) => invalid(at, value, message)));
  }
  const expressions = (selector.matchExpressions ?? []).flatMap((expression, index) =>
    validateLabelRequirement(expression, `${path}.matchExpressions[${index}]`),
  );
  return [...errors, ...expressions];
}

/** Everything wrong with one expression of a `LabelSelector`. */
export function validateLabelRequirement(
  { key, operator, values = [] }: LabelSelectorRequirement,
  path: string,
): FieldError[] {
  const errors: FieldError[] = [];
  if (operator === 'In' || operator === 'NotIn') {
    if (values.length === 0) {
      errors.push(required(`${path}.values`, "must be specified when `operator` is 'In' or 'NotIn'"));
    }
  } else if (operator === 'Exists' || operator === 'DoesNotExist') {
    if (values.length > 0) {
      errors.push(
        forbidden(`${path}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"),
      );
    }
  } else {
    errors.push(invalid(`${path}.operator`, operator, 'not a valid selector operator'));
  }
  errors.push(...qualifiedNameErrors(key).map((message) => invalid(`${path}.key`, key, message)));
  for (const [index, value] of values.entries()) {
    errors.push(
      ...labelValueErrors(value).map((message) => invalid(`${path}.values[${index}]`, value, message)),
    );
  }
  return errors;
}
