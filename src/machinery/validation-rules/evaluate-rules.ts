import type { CelObserver } from '../cel/cel-observer.ts';
import { celBase } from '../cel/environment.ts';
import type { CelBase } from '../cel/environment.ts';
import type { Bindings } from '../cel/evaluate.ts';
import { PER_CALL_LIMIT, RUNTIME_COST_BUDGET } from '../cel/program.ts';
import type { Outcome, Program } from '../cel/program.ts';
import { schemaType } from '../cel/schema-type.ts';
import type { SchemaType } from '../cel/schema-type.ts';
import { viewTyped } from '../cel/schema-view.ts';
import { NONE, some } from '../cel/value.ts';
import { forbidden, required } from '../field-error.ts';
import type { FieldError } from '../field-error.ts';
import { encodeJson } from '../json/encode.ts';
import { goQuote } from '../go-quote.ts';
import { isObject } from '../patch/json-value.ts';
import type { Correlation } from '../structural/correlation.ts';
import type { CompileRules, EvaluateElsewhere, RuleSubject } from '../structural/rule-validator.ts';
import type { StructuralSchema, ValidationRule } from '../structural/structural-schema.ts';
import { compileRule } from './compile-rule.ts';
import type { CompiledRule } from './compile-rule.ts';

/** The places of a schema that have rules at or below them. */
interface RuleNode {
  readonly schema: StructuralSchema;
  readonly type: SchemaType | undefined;
  /** Compiled when an object first reaches them. */
  readonly rules: () => readonly CompiledRule[];
  readonly properties: ReadonlyMap<string, RuleNode>;
  readonly values: RuleNode | undefined;
  readonly items: RuleNode | undefined;
}

interface Run {
  readonly errors: FieldError[];
  readonly warn: (text: string) => void;
  /** What the object's rules may still cost; negative once nothing more is evaluated. */
  budget: number;
  readonly where: Where;
}

/** How much of an object's budget may be spent here, and what is called now and then meanwhile. */
interface Where {
  readonly slice: number;
  readonly rest?: () => void;
}

export interface RuleCompilerOptions {
  /** Where rules of an object that take long are evaluated; here, when absent. */
  readonly elsewhere?: EvaluateElsewhere;
  /** Called now and then during evaluations that take long; may keep them waiting. */
  readonly rest?: () => void;
  readonly observer?: CelObserver;
}

/** What rules cost that take a millisecond or two. */
export const SHORT_COST = 3_000;

/** An evaluation takes longer than it may here. */
export class LongEvaluationError extends Error {
  override readonly name = 'LongEvaluationError';
}

interface Place {
  readonly path: string;
  readonly value: unknown;
  readonly old: unknown;
  readonly correlation: Correlation | undefined;
  /** Whether the nearest place above that has an old value is as it was. */
  readonly parentUnchanged: boolean;
}

/**
 * Prepares the rules of custom resources' schemas: undefined for a schema without rules. Nothing is compiled before it is
 * needed; `loadPatterns` must have resolved before rules are evaluated. Those of an object that take long go on elsewhere,
 * when there is such a place; their warnings are not heard.
 */
export function ruleCompiler({ elsewhere, rest, observer }: RuleCompilerOptions = {}): CompileRules {
  let shared: CelBase | undefined;
  const base = (): CelBase => (shared ??= celBase());
  return (root) => {
    const node = ruleNode(root, { base, observer, place: 'root' });
    if (!node) return undefined;
    const throughout: Where = { slice: Infinity, ...(rest && { rest }) };
    const validate = (subject: RuleSubject): FieldError[] | Promise<FieldError[]> => {
      if (!elsewhere) return validateRules(node, subject, throughout);
      try {
        return validateRules(node, subject, { slice: SHORT_COST });
      } catch (error) {
        if (!(error instanceof LongEvaluationError)) throw error;
        const { object, oldObject } = subject;
        return elsewhere({ schema: root.props, object, ...(oldObject && { oldObject }) });
      }
    };
    if (!observer) return { validate };
    return {
      validate(subject) {
        const since = observer.now();
        const errors = validate(subject);
        if (errors instanceof Promise) return errors.finally(() => observer.evaluated(since));
        observer.evaluated(since);
        return errors;
      },
    };
  };
}

interface Compiling {
  base(): CelBase;
  readonly observer: CelObserver | undefined;
  readonly place: 'root' | 'inside';
}

function ruleNode(schema: StructuralSchema, compiling: Compiling): RuleNode | undefined {
  const { base, observer, place } = compiling;
  const inside: Compiling = place === 'inside' ? compiling : { base, observer, place: 'inside' };
  const properties = new Map<string, RuleNode>();
  for (const name of schema.propertyNames) {
    const property = schema.property(name);
    const below = property && ruleNode(property, inside);
    if (below) properties.set(name, below);
  }
  const { additionalProperties } = schema;
  const values =
    typeof additionalProperties === 'object' ? ruleNode(additionalProperties, inside) : undefined;
  const items = schema.items && ruleNode(schema.items, inside);
  if (schema.rules.length === 0 && properties.size === 0 && !values && !items) return undefined;
  const type = schema.rules.length > 0 ? schemaType(schema, 'selfType', place) : undefined;
  let compiled: readonly CompiledRule[] | undefined;
  const rules = (): readonly CompiledRule[] => {
    if (compiled) return compiled;
    const since = observer?.now() ?? 0;
    compiled = type ? schema.rules.map((rule) => compileRule(rule, type, base())) : [];
    observer?.compiled(since);
    return compiled;
  };
  return { schema, type, rules, properties, values, items };
}

function validateRules(
  node: RuleNode,
  { object, oldObject, correlation, warn }: RuleSubject,
  where: Where,
): FieldError[] {
  const run: Run = { errors: [], warn: warn ?? (() => undefined), budget: RUNTIME_COST_BUDGET, where };
  validate(run, node, { path: '', value: object, old: oldObject, correlation, parentUnchanged: false });
  return run.errors;
}

function validate(run: Run, node: RuleNode, place: Place): void {
  const { value } = place;
  if (value === null || value === undefined) return;
  if (node.schema.rules.length > 0) evaluateRules(run, node, place);
  if (run.budget < 0) return;
  if (Array.isArray(value)) validateItems(run, node, place);
  else if (isObject(value)) validateMembers(run, node, place);
}

function isUnchanged({ correlation, parentUnchanged }: Place): boolean {
  return correlation?.old === undefined ? parentUnchanged : correlation.unchanged();
}

function validateItems(run: Run, node: RuleNode, place: Place): void {
  const { items, schema } = node;
  if (!items || !Array.isArray(place.value)) return;
  const parentUnchanged = isUnchanged(place);
  for (const [index, value] of place.value.entries()) {
    if (run.budget < 0) return;
    validate(run, items, {
      path: `${place.path}[${index}]`,
      value,
      old: schema.listType === 'map' ? pairedItem(value, place.old, schema.listMapKeys) : undefined,
      correlation: place.correlation?.item(index),
      parentUnchanged,
    });
  }
}

/** The old item with the same keys. */
function pairedItem(item: unknown, old: unknown, keys: readonly string[]): unknown {
  if (!Array.isArray(old) || !isObject(item)) return undefined;
  return old.find(
    (candidate: unknown) => isObject(candidate) && keys.every((key) => candidate[key] === item[key]),
  );
}

function validateMembers(run: Run, node: RuleNode, place: Place): void {
  if (!isObject(place.value)) return;
  const parentUnchanged = isUnchanged(place);
  for (const [name, value] of Object.entries(place.value)) {
    if (run.budget < 0) return;
    const property = node.properties.get(name);
    const below = property ?? node.values;
    if (!below) continue;
    validate(run, below, {
      path: property ? childPath(place.path, name) : `${place.path}[${name}]`,
      value,
      old: isObject(place.old) && Object.hasOwn(place.old, name) ? place.old[name] : undefined,
      correlation: place.correlation?.field(name),
      parentUnchanged,
    });
  }
}

function childPath(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}

function bindingsOf(type: SchemaType, { value, old }: Place, isOptional: boolean | undefined): Bindings {
  return {
    get(name) {
      if (name === 'self') return viewTyped(value, type);
      if (name !== 'oldSelf') return undefined;
      const isAbsent = old === undefined || old === null;
      if (isOptional !== true) return isAbsent ? undefined : viewTyped(old, type);
      return isAbsent ? NONE : some(viewTyped(old, type));
    },
  };
}

const OUT_OF_BUDGET =
  'validation failed due to running out of cost budget, no further validation rules will be run';

/** Throws `LongEvaluationError` when it takes longer than it may here. */
function evaluate(run: Run, program: Program, bindings: Bindings): Outcome {
  const { slice, rest } = run.where;
  const left = slice - (RUNTIME_COST_BUDGET - run.budget);
  const outcome = program.evaluate(bindings, Math.min(PER_CALL_LIMIT, left), rest);
  if (left < PER_CALL_LIMIT && 'error' in outcome && outcome.exceeded) throw new LongEvaluationError();
  return outcome;
}

function evaluateRules(run: Run, node: RuleNode, place: Place): void {
  const { schema, type } = node;
  if (!type) return;
  const fail = (detail: string): void => {
    run.errors.push(invalidType(place.path, schema.type, detail));
  };
  if (run.budget <= 0) {
    fail(OUT_OF_BUDGET);
    run.budget = -1;
    return;
  }
  for (const compiled of node.rules()) {
    const { rule, program, usesOldSelf, error } = compiled;
    if (error !== undefined) fail(`rule compile error: ${error}`);
    const hasOld = place.old !== undefined && place.old !== null;
    if (!program || (usesOldSelf && !hasOld && rule.optionalOldSelf !== true)) continue;
    const outcome = evaluate(run, program, bindingsOf(type, place, rule.optionalOldSelf));
    if (outcome.cost > run.budget) {
      fail(OUT_OF_BUDGET);
      run.budget = -1;
      return;
    }
    run.budget -= outcome.cost;
    if ('error' in outcome) {
      fail(failedEvaluation(outcome.error, rule));
      if (!outcome.exceeded) continue;
      run.budget = -1;
      return;
    }
    if (outcome.value !== true) report(run, compiled, { node, type, place });
    if (run.budget < 0) return;
  }
}

function failedEvaluation(error: string, rule: ValidationRule): string {
  const text = ruleText(rule);
  if (error.startsWith('no such overload')) {
    return `'${error}': call arguments did not match a supported operator, function or macro signature for rule: ${text}`;
  }
  if (error.startsWith('operation cancelled: actual cost limit exceeded')) {
    return `'${error}': no further validation rules will be run due to call cost exceeds limit for rule: ${text}`;
  }
  return `${error} evaluating rule: ${text}`;
}

function ruleText({ rule, message }: ValidationRule): string {
  return (message === undefined || message === '' ? rule : message).trim();
}

interface Broken {
  readonly node: RuleNode;
  readonly type: SchemaType;
  readonly place: Place;
}

/** Reports a rule that came out false; for what did not change, only as a warning. */
function report(run: Run, compiled: CompiledRule, { node, type, place }: Broken): void {
  const { rule, usesOldSelf, fieldPath } = compiled;
  const path = fieldPath === undefined ? place.path : childPath(place.path, fieldPath);
  const isRatcheted = !usesOldSelf && isUnchanged(place);
  const add = (error: FieldError): void => {
    if (isRatcheted) run.warn(`${error.field}: ${error.message}`);
    else run.errors.push(error);
  };
  let detail =
    rule.message === undefined || rule.message === ''
      ? `failed rule: ${ruleText(rule)}`
      : rule.message.trim();
  if (compiled.message) {
    const message = evaluateMessage(run, compiled.message, bindingsOf(type, place, rule.optionalOldSelf));
    if ('stopped' in message) {
      add(invalidType(path, node.schema.type, message.stopped));
      run.budget = -1;
      return;
    }
    detail = message.text ?? detail;
  }
  add(brokenRule(path, place.value, { schema: node.schema, detail, reason: rule.reason }));
}

type Message = { readonly text?: string } | { readonly stopped: string };

const MAX_MESSAGE_BYTES = 5 * 1024;

function evaluateMessage(run: Run, program: Program, bindings: Bindings): Message {
  const outcome = evaluate(run, program, bindings);
  if (outcome.cost > run.budget) {
    return {
      stopped:
        'messageExpression evaluation failed due to running out of cost budget, no further validation rules will be run',
    };
  }
  if ('error' in outcome && outcome.exceeded) {
    const text = goQuote(program.source);
    return {
      stopped: `no further validation rules will be run due to call cost exceeds limit for messageExpression: ${text}`,
    };
  }
  run.budget -= outcome.cost;
  if ('error' in outcome || typeof outcome.value !== 'string') return {};
  const text = outcome.value.trim();
  const isUsable = text !== '' && !text.includes('\n') && Buffer.byteLength(text) <= MAX_MESSAGE_BYTES;
  return isUsable ? { text } : {};
}

interface Violation {
  readonly schema: StructuralSchema;
  readonly detail: string;
  readonly reason: string | undefined;
}

/** Objects and arrays are left out of the text. */
function brokenRule(path: string, value: unknown, { schema, detail, reason }: Violation): FieldError {
  const field = path === '' ? '<nil>' : path;
  const isLarge = schema.type === 'object' || schema.type === 'array';
  const shown = isLarge ? '' : `: ${typeof value === 'string' ? goQuote(value) : encodeJson(value)}`;
  switch (reason) {
    case 'FieldValueForbidden':
      return forbidden(field, detail);
    case 'FieldValueRequired':
      return required(field, detail);
    case 'FieldValueDuplicate':
      return { field, reason: 'FieldValueDuplicate', message: `Duplicate value${shown}` };
    default:
      return { field, reason: 'FieldValueInvalid', message: `Invalid value${shown}: ${detail}` };
  }
}

function invalidType(path: string, type: string, detail: string): FieldError {
  return {
    field: path === '' ? '<nil>' : path,
    reason: 'FieldValueInvalid',
    message: `Invalid value: ${goQuote(type)}: ${detail}`,
  };
}
