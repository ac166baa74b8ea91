import {
  invalid,
  notSupported,
  required,
  tooLong,
  tooMany,
  typeInvalid,
  type FieldError,
} from '../field-error.ts';
import { encodeJson } from '../json/encode.ts';
import { isObject, jsonEqual } from '../patch/json-value.ts';
import type { Correlation } from './correlation.ts';
import { formatOf } from './formats.ts';
import { numberErrors } from './validate-number.ts';
import { compilePattern } from './patterns.ts';
import type { SchemaProps } from './structural-schema.ts';

/** What came out for one value; `matches` counts the conditions that were looked at, which picks the alternative to report. */
interface Outcome {
  readonly errors: FieldError[];
  matches: number;
}

/** Where the value is: `path` as kube-openapi builds it, without the field that the whole is part of. */
interface Place {
  readonly path: string;
  /** The field that the whole value is; `undefined` for an object. */
  readonly root: string | undefined;
  readonly correlation?: Correlation | undefined;
}

/**
 * Checks a value against a schema as kube-openapi's validation does, with its wording. With a correlation, what an update
 * leaves as it was need not meet the schema. {@link loadPatterns} must have resolved. `root`: the path of the value itself.
 */
export function validateValue(
  value: unknown,
  props: SchemaProps,
  options: { readonly root?: string; readonly correlation?: Correlation } = {},
): FieldError[] {
  const { root, correlation } = options;
  return validate(value, props, { path: '', root, correlation }).errors;
}

function fieldAt({ path, root }: Place): string {
  const below = path.replace(/^\./, '');
  if (root === undefined) return below === '' ? '<nil>' : below;
  return below === '' ? root : `${root}.${below}`;
}

const rootOf = ({ root }: Place): string => root ?? '<nil>';

const kindNames = { array: 'array', object: 'object', string: 'string', boolean: 'boolean' } as const;

/** The value's type in JSON schema: integers are numbers that have no fraction. */
function typeOf(value: unknown): 'array' | 'object' | 'string' | 'boolean' | 'integer' | 'number' | 'null' {
  if (value === null || value === undefined) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'bigint') return 'integer';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  return kindNames[typeof value as keyof typeof kindNames];
}

function typesOf(props: SchemaProps): readonly string[] {
  if (props['x-kubernetes-int-or-string']) return ['integer', 'string'];
  return props.type ? [props.type] : [];
}

function validate(value: unknown, props: SchemaProps, place: Place): Outcome {
  if (place.correlation?.unchanged()) return { errors: [], matches: 0 };
  const outcome: Outcome = { errors: [], matches: 0 };
  const merge = (other: FieldError[] | Outcome): void => {
    const { errors, matches } = Array.isArray(other) ? { errors: other, matches: 0 } : other;
    outcome.errors.push(...errors);
    outcome.matches += matches + 1;
  };
  const types = typesOf(props);
  const found = typeOf(value);
  if (types.length > 0 || props.format) merge(typeErrors(value, props, { place, types, found }));
  if (found === 'null') {
    merge(enumErrors(value, props, place));
    return outcome;
  }
  merge(combined(value, props, place));
  if (typeof value === 'string') {
    merge(stringErrors(value, props, place));
    if (props.format && formatOf(props.format)) merge(formatErrors(value, props.format, place));
  }
  if (typeof value === 'number' || typeof value === 'bigint') {
    merge(
      numberErrors(
        value,
        { ...props, types },
        { path: place.path, field: fieldAt(place), root: rootOf(place) },
      ),
    );
  }
  if (Array.isArray(value)) merge(listErrors(value, props, place));
  merge(enumErrors(value, props, place));
  if (isObject(value)) merge(objectErrors(value, props, place));
  return outcome;
}

interface Typing {
  readonly place: Place;
  readonly types: readonly string[];
  readonly found: ReturnType<typeof typeOf>;
}

function typeErrors(value: unknown, props: SchemaProps, { place, types, found }: Typing): FieldError[] {
  const words = types.join(',');
  const wrong = (expected: string, actual: string): FieldError[] => [
    typeInvalid(
      fieldAt(place),
      actual,
      `${place.path.replace(/^\./, '')} in body must be of type ${expected}: ${JSON.stringify(actual)}`,
    ),
  ];
  if (found === 'null') {
    return types.length > 0 && !types.includes('null') && !props.nullable ? wrong(words, 'null') : [];
  }
  const numeric = types.includes('number') || types.includes('integer');
  const format = props.format && isKnownFormat(props.format) ? props.format : '';
  if (!numeric && format !== '' && (found === 'string' || found === 'array')) return [];
  const wholeNumber = found === 'integer' && types.includes('number');
  if (types.length === 0 || types.includes(found) || wholeNumber) return [];
  if (format !== '' && found !== 'string' && found !== 'array') return wrong(format, goFormat(value, found));
  return wrong(words, found);
}

function isKnownFormat(format: string): boolean {
  return formatOf(format) !== undefined || numberFormats.has(format);
}

const numberFormats: ReadonlySet<string> = new Set(['int32', 'int64', 'float', 'double']);

/** The format that Go's type of the value stands for. */
function goFormat(value: unknown, found: string): string {
  if (found === 'integer') return 'int64';
  return found === 'number' && value !== undefined ? 'double' : '';
}

function enumErrors(value: unknown, props: SchemaProps, place: Place): FieldError[] {
  if (!props.enum || props.enum.length === 0) return [];
  if (props.enum.some((allowed) => jsonEqual(allowed, value))) return [];
  if (value === null && props.nullable) return [];
  const supported = props.enum.map((allowed) =>
    typeof allowed === 'string' ? allowed : encodeJson(allowed),
  );
  return [notSupported(fieldAt(place), value, supported)];
}

function stringErrors(value: string, props: SchemaProps, place: Place): FieldError[] {
  const { maxLength, minLength, pattern } = props;
  const name = place.path.replace(/^\./, '');
  if (maxLength !== undefined || minLength !== undefined) {
    const length = Array.from(value).length;
    if (maxLength !== undefined && length > maxLength) return [tooLong(fieldAt(place), maxLength)];
    if (minLength !== undefined && length < minLength) {
      return [invalid(fieldAt(place), value, `${name} in body should be at least ${minLength} chars long`)];
    }
  }
  if (pattern && !matchesPattern(pattern, value)) {
    return [invalid(fieldAt(place), value, `${name} in body should match '${pattern}'`)];
  }
  return [];
}

function matchesPattern(pattern: string, value: string): boolean {
  try {
    return compilePattern(pattern)(value);
  } catch {
    return false;
  }
}

function formatErrors(value: string, format: string, place: Place): FieldError[] {
  if (formatOf(format)?.(value) ?? true) return [];
  const name = place.path.replace(/^\./, '');
  return [
    typeInvalid(fieldAt(place), value, `${name} in body must be of type ${format}: ${JSON.stringify(value)}`),
  ];
}

function listErrors(items: readonly unknown[], props: SchemaProps, place: Place): Outcome {
  const outcome: Outcome = { errors: [], matches: 1 };
  const name = place.path.replace(/^\./, '');
  const { minItems, maxItems } = props;
  if (props.items && !Array.isArray(props.items)) {
    const schema = props.items as SchemaProps;
    items.forEach((item, index) => {
      const path = `${place.path}[${index}]`;
      const below = validate(item, schema, { ...place, path, correlation: place.correlation?.item(index) });
      outcome.errors.push(...below.errors);
      outcome.matches += below.matches;
    });
  }
  if (minItems !== undefined && items.length < minItems) {
    outcome.errors.push(
      invalid(fieldAt(place), items.length, `${name} in body should have at least ${minItems} items`),
    );
  }
  if (maxItems !== undefined && items.length > maxItems) {
    outcome.errors.push(tooMany(fieldAt(place), items.length, maxItems));
  }
  return outcome;
}

function objectErrors(object: Readonly<Record<string, unknown>>, props: SchemaProps, place: Place): Outcome {
  const outcome: Outcome = { errors: [], matches: 0 };
  const name = place.path.replace(/^\./, '');
  const names = Object.keys(object).sort();
  const { minProperties, maxProperties, additionalProperties, properties = {} } = props;
  if (minProperties !== undefined && names.length < minProperties) {
    const detail = `${name} in body should have at least ${minProperties} properties`;
    return { errors: [invalid(fieldAt(place), names.length, detail)], matches: 0 };
  }
  if (maxProperties !== undefined && names.length > maxProperties) {
    return { errors: [tooMany(fieldAt(place), names.length, maxProperties)], matches: 0 };
  }
  for (const member of names) {
    const known = Object.hasOwn(properties, member) ? properties[member] : undefined;
    const schema = known ?? (typeof additionalProperties === 'object' ? additionalProperties : undefined);
    const path = place.path === '' && known ? member : `${place.path}.${member}`;
    if (schema) {
      const below = validate(object[member], schema, {
        ...place,
        path,
        correlation: place.correlation?.field(member),
      });
      outcome.errors.push(...below.errors);
      outcome.matches += below.matches;
    } else if (additionalProperties === false) {
      outcome.errors.push(invalid(fieldAt(place), '', `${name}.${member} in body is a forbidden property`));
    }
  }
  for (const member of props.required ?? []) {
    if (Object.hasOwn(object, member)) continue;
    outcome.errors.push(required(fieldAt({ ...place, path: `${place.path}.${member}` })));
  }
  return outcome;
}

/** `anyOf`, `oneOf`, `allOf` and `not`: below them nothing is forgiven for being unchanged. */
function combined(value: unknown, props: SchemaProps, { path, root }: Place): Outcome {
  const outcome: Outcome = { errors: [], matches: 1 };
  const quoted = JSON.stringify(path.replace(/^\./, ''));
  const place: Place = { path, root };
  const fail = (text: string): void => {
    outcome.errors.push(invalid(rootOf(place), '', `${quoted} ${text}`));
  };
  const take = (other: Outcome | undefined): void => {
    if (!other) return;
    outcome.errors.push(...other.errors);
    outcome.matches += other.matches;
  };
  const { anyOf = [], oneOf = [], allOf = [], not } = props;
  if (anyOf.length > 0) {
    const { passed, best } = tried(value, anyOf, place);
    if (passed === 0) {
      fail('must validate at least one schema (anyOf)');
      take(best);
    }
  }
  if (oneOf.length > 0) {
    const { passed, best } = tried(value, oneOf, place);
    if (passed !== 1) {
      const found = passed === 0 ? 'Found none valid' : `Found ${passed} valid alternatives`;
      fail(`must validate one and only one schema (oneOf). ${found}`);
      take(best);
    }
  }
  if (allOf.length > 0) {
    const outcomes = allOf.map((schema) => validate(value, schema, place));
    outcomes.forEach(take);
    const passed = outcomes.filter(({ errors }) => errors.length === 0).length;
    if (passed < allOf.length) {
      fail(`must validate all the schemas (allOf)${passed === 0 ? '. None validated' : ''}`);
    }
  }
  if (not && validate(value, not, place).errors.length === 0) fail('must not validate the schema (not)');
  return outcome;
}

/** How many alternatives a value meets; when none, the one that was looked at furthest. */
function tried(
  value: unknown,
  schemas: readonly SchemaProps[],
  place: Place,
): { readonly passed: number; readonly best: Outcome | undefined } {
  let passed = 0;
  let best: Outcome | undefined;
  for (const schema of schemas) {
    const outcome = validate(value, schema, place);
    if (outcome.errors.length === 0) passed += 1;
    else if (!best || outcome.matches > best.matches) best = outcome;
  }
  return { passed, best: passed === 0 ? best : undefined };
}
