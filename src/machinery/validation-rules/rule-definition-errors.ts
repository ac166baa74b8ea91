import type { CelBase } from '../cel/environment.ts';
import { estimateCost } from '../cel/estimate-cost.ts';
import type { Program } from '../cel/program.ts';
import { MAX_REQUEST_BYTES, schemaType } from '../cel/schema-type.ts';
import type { SchemaType } from '../cel/schema-type.ts';
import { forbidden, invalid, notSupported, required } from '../field-error.ts';
import type { FieldError } from '../field-error.ts';
import type { StructuralSchema, ValidationRule } from '../structural/structural-schema.ts';
import { compileRule } from './compile-rule.ts';
import type { CompiledRule } from './compile-rule.ts';
import { resolveFieldPath } from './rule-field-path.ts';

const EXPRESSION_LIMIT = 10_000_000;
const DEFINITION_LIMIT = 100_000_000;
const REASONS = ['FieldValueDuplicate', 'FieldValueForbidden', 'FieldValueInvalid', 'FieldValueRequired'];

/** One place of the schema and what is known from the places around it. */
interface Place {
  readonly schema: StructuralSchema;
  readonly path: string;
  readonly isRoot: boolean;
  /** How often the place can occur in one object; undefined when nothing bounds it. */
  readonly cardinality: number | undefined;
  /** The list above that old and new items cannot be paired in. */
  readonly uncorrelatable: string | undefined;
}

interface RuleCost {
  readonly path: string;
  readonly cost: number;
}

/** What is wrong with how the `x-kubernetes-validations` of a schema at `path` (`spec.versions[0].schema.openAPIV3Schema`) are written. */
export function ruleShapeErrors(root: StructuralSchema, path: string): FieldError[] {
  return [...placesOf(root, path)].flatMap((place) =>
    place.schema.rules.flatMap((rule, index) =>
      shapeErrors(rule, place.schema, `${rulesPath(place)}[${index}]`),
    ),
  );
}

/** Which costs are checked: those of each expression and their total, or, for rules that were there before, only the total. */
export type CostChecks = 'all' | 'total';

/** Whether the well written rules of a structural schema compile and what they may cost. */
export function ruleCompileErrors(
  root: StructuralSchema,
  path: string,
  { base, checks }: { readonly base: () => CelBase; readonly checks: CostChecks },
): FieldError[] {
  const costs: RuleCost[] = [];
  const errors = [...placesOf(root, path)].flatMap((place) =>
    compileErrors(place, { base: base(), costs, checks }),
  );
  return [...errors, ...totalErrors(costs, path)];
}

function placesOf(schema: StructuralSchema, path: string): Generator<Place> {
  return rulePlaces({ schema, path, isRoot: true, cardinality: 1, uncorrelatable: undefined });
}

function rulesPath({ path }: Place): string {
  return `${path}.x-kubernetes-validations`;
}

/** The places that have rules, those inside others first. */
function* rulePlaces(place: Place): Generator<Place> {
  const { schema, path } = place;
  const below = { isRoot: false, cardinality: childCardinality(place) };
  for (const name of schema.propertyNames) {
    const property = schema.property(name);
    if (property)
      yield* rulePlaces({ ...place, ...below, schema: property, path: `${path}.properties[${name}]` });
  }
  if (typeof schema.additionalProperties === 'object') {
    const values = schema.additionalProperties;
    yield* rulePlaces({ ...place, ...below, schema: values, path: `${path}.additionalProperties` });
  }
  if (schema.items) {
    const uncorrelatable = place.uncorrelatable ?? (schema.listType === 'map' ? undefined : path);
    yield* rulePlaces({ ...below, uncorrelatable, schema: schema.items, path: `${path}.items` });
  }
  if (schema.rules.length > 0) yield place;
}

function childCardinality({ schema, cardinality }: Place): number | undefined {
  if (cardinality === undefined) return undefined;
  let factor: number | undefined = 1;
  if (schema.type === 'array') factor = schema.props.maxItems;
  else if (schema.type === 'object' && schema.additionalProperties !== undefined)
    factor = schema.props.maxProperties;
  return factor === undefined ? undefined : cardinality * Math.max(0, factor);
}

function shapeErrors(rule: ValidationRule, schema: StructuralSchema, path: string): FieldError[] {
  const { message = '', messageExpression = '', reason, fieldPath = '' } = rule;
  const text = (rule.rule ?? '').trim();
  const errors: FieldError[] = [];
  if (text === '') {
    errors.push(required(`${path}.rule`, 'rule is not specified'));
  } else if (message !== '' && message.trim() === '') {
    errors.push(invalid(`${path}.message`, message, 'message must be non-empty if specified'));
  } else if (hasLineBreak(message.trim())) {
    errors.push(invalid(`${path}.message`, message, 'message must not contain line breaks'));
  } else if (hasLineBreak(text) && message.trim() === '') {
    errors.push(required(`${path}.message`, 'message must be specified if rule contains line breaks'));
  }
  if (messageExpression !== '' && messageExpression.trim() === '') {
    errors.push(required(`${path}.messageExpression`, 'messageExpression must be non-empty if specified'));
  }
  if (reason !== undefined && !REASONS.includes(reason)) {
    errors.push(notSupported(`${path}.reason`, reason, REASONS));
  }
  if (fieldPath !== '') errors.push(...fieldPathErrors(fieldPath, schema, `${path}.fieldPath`));
  return errors;
}

function fieldPathErrors(fieldPath: string, schema: StructuralSchema, path: string): FieldError[] {
  const errors: FieldError[] = [];
  if (fieldPath.trim() === '') errors.push(invalid(path, fieldPath, 'must be non-empty if specified'));
  if (hasLineBreak(fieldPath)) errors.push(invalid(path, fieldPath, 'must not contain line breaks'));
  if ('error' in resolveFieldPath(fieldPath, schema))
    errors.push(invalid(path, fieldPath, 'must be a valid path'));
  return errors;
}

function hasLineBreak(text: string): boolean {
  return /[\n\r]/.test(text);
}

interface Compilation {
  readonly base: CelBase;
  readonly costs: RuleCost[];
  readonly checks: CostChecks;
}

function compileErrors(place: Place, { base, costs, checks }: Compilation): FieldError[] {
  const type = schemaType(place.schema, 'selfType', place.isRoot ? 'root' : 'inside');
  if (!type) {
    const detail =
      'internal error: failed to construct type information for x-kubernetes-validations rules: unable to convert structural schema to CEL declarations';
    return [{ field: rulesPath(place), reason: 'InternalError', message: `Internal error: ${detail}` }];
  }
  return place.schema.rules.flatMap((rule, index) => {
    const compiled = compileRule(rule, type, base);
    const path = `${rulesPath(place)}[${index}]`;
    return [
      ...costErrors(compiled, { place, type, path, costs, checks }),
      ...(compiled.error === undefined ? [] : [invalidRule(`${path}.rule`, rule, compiled.error)]),
      ...messageErrors(compiled, { place, type, path, costs, checks }),
      ...oldSelfErrors(compiled, place, path),
    ];
  });
}

interface CostPlace {
  readonly place: Place;
  readonly type: SchemaType;
  readonly path: string;
  readonly costs: RuleCost[];
  readonly checks: CostChecks;
}

function mostCost(program: Program, type: SchemaType): number {
  return estimateCost(program.checked, type).max;
}

function costErrors(
  { program }: CompiledRule,
  { place, type, path, costs, checks }: CostPlace,
): FieldError[] {
  if (!program) return [];
  const times = place.cardinality ?? Math.trunc(MAX_REQUEST_BYTES / (type.minSize + 1));
  const cost = mostCost(program, type) * times;
  costs.push({ path: `${path}.rule`, cost });
  return checks === 'all' && cost > EXPRESSION_LIMIT
    ? [forbidden(`${path}.rule`, tooCostly('estimated rule cost', cost, EXPRESSION_LIMIT))]
    : [];
}

function messageErrors(compiled: CompiledRule, { type, path, costs, checks }: CostPlace): FieldError[] {
  const { rule, message, messageError } = compiled;
  const field = `${path}.messageExpression`;
  if (messageError !== undefined) return [invalidRule(field, rule, messageError)];
  if (!message) return [];
  const cost = mostCost(message, type);
  costs.push({ path: field, cost });
  return checks === 'all' && cost > EXPRESSION_LIMIT
    ? [forbidden(field, tooCostly('estimated messageExpression cost', cost, EXPRESSION_LIMIT))]
    : [];
}

function oldSelfErrors(
  { rule, usesOldSelf }: CompiledRule,
  { uncorrelatable }: Place,
  path: string,
): FieldError[] {
  if (usesOldSelf) {
    const detail = `oldSelf cannot be used on the uncorrelatable portion of the schema within ${uncorrelatable}`;
    return uncorrelatable === undefined ? [] : [invalid(`${path}.rule`, rule.rule, detail)];
  }
  const detail = 'may not be set if oldSelf is not used in rule';
  return rule.optionalOldSelf === undefined
    ? []
    : [invalid(`${path}.optionalOldSelf`, rule.optionalOldSelf, detail)];
}

/** Upstream prints the whole rule as Go encodes its struct. */
function invalidRule(field: string, rule: ValidationRule, detail: string): FieldError {
  const printed = JSON.stringify({
    Rule: rule.rule,
    Message: rule.message ?? '',
    MessageExpression: rule.messageExpression ?? '',
    Reason: rule.reason ?? null,
    FieldPath: rule.fieldPath ?? '',
    OptionalOldSelf: rule.optionalOldSelf ?? null,
  }).replaceAll(/[<>&\u2028\u2029]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return { field, reason: 'FieldValueInvalid', message: `Invalid value: ${printed}: ${detail}` };
}

function totalErrors(costs: readonly RuleCost[], path: string): FieldError[] {
  const total = costs.reduce((sum, { cost }) => sum + cost, 0);
  if (total <= DEFINITION_LIMIT) return [];
  const expensive = costs
    .filter(({ cost }) => cost >= DEFINITION_LIMIT / 100)
    .toSorted((left, right) => right.cost - left.cost)
    .slice(0, 4);
  const name = 'x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema';
  return [
    ...expensive.map((rule) =>
      forbidden(
        rule.path,
        'contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema',
      ),
    ),
    forbidden(path, tooCostly(name, total, DEFINITION_LIMIT)),
  ];
}

function tooCostly(name: string, cost: number, limit: number): string {
  const factor = cost / limit;
  let text = `${factor.toFixed(1)}x`;
  if (factor > 100) text = 'more than 100x';
  else if (factor < 1.5) text = `${factor.toFixed(6)}x`;
  return `${name} exceeds budget by factor of ${text} (try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)`;
}
