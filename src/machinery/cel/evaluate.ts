import { hasField, isOptional, optionalField, optionalIndex, selectField, selectIndex } from './access.ts';
import { callCostOf } from './call-cost.ts';
import type { CheckedExpression } from './check.ts';
import type { CostMeter } from './cost-meter.ts';
import { CelEvaluationError, evaluationError, noSuchOverload } from './evaluation-error.ts';
import type {
  CallExpression,
  ComprehensionExpression,
  Expression,
  ListExpression,
  MapExpression,
  StructExpression,
} from './expression.ts';
import { acceptsValue } from './function-table.ts';
import type { Overload } from './function-table.ts';
import { keyOf, listOfValues, mapOfEntries, runtimeTypeName, typeNameOf } from './value.ts';
import type { CelStruct, CelValue } from './value.ts';

/** The values of an expression's variables, asked for when they are read; a `Map` is one. */
export interface Bindings {
  /** Undefined for a variable without a value. A thrown `CelEvaluationError` is the expression's. */
  get(name: string): CelValue | undefined;
}

interface Frame {
  readonly bindings: Bindings;
  readonly meter: CostMeter;
  /** Comprehension variables; an accumulator may hold the error that it came to. */
  readonly slots: (CelValue | CelEvaluationError)[];
}

type Step = (frame: Frame) => CelValue;

interface Planner {
  readonly checked: CheckedExpression;
  readonly scopes: { readonly name: string; readonly slot: number }[];
  slots: number;
}

/** Computes an expression's value. Throws `CelEvaluationError` and, beyond the meter's limit, `CelCostError`. */
export type Evaluator = (bindings: Bindings, meter: CostMeter) => CelValue;

const LIST_COST = 10;
const MAP_COST = 30;
const STRUCT_COST = 40;

/** Turns a checked expression into nested closures that charge what cel-go charges. */
export function planEvaluation(checked: CheckedExpression): Evaluator {
  const planner: Planner = { checked, scopes: [], slots: 0 };
  const step = plan(planner, checked.root);
  return (bindings, meter) => step({ bindings, meter, slots: [] });
}

function plan(planner: Planner, node: Expression): Step {
  const typeName = planner.checked.typeNames.get(node.id);
  if (typeName) {
    const value: CelValue = { kind: 'type', name: runtimeTypeName(typeName) };
    return () => value;
  }
  const variable = planner.checked.dottedVariables.get(node.id);
  if (variable !== undefined) return planName(planner, variable);
  switch (node.kind) {
    case 'literal': {
      const { value } = node;
      return () => value;
    }
    case 'ident':
      return planName(planner, node.name);
    case 'select':
      return planSelect(planner, node);
    case 'call':
      return planCall(planner, node);
    case 'list':
      return planList(planner, node);
    case 'map':
      return planMap(planner, node);
    case 'struct':
      return planStruct(planner, node);
    default:
      return planComprehension(planner, node);
  }
}

function planName(planner: Planner, name: string): Step {
  const local = planner.scopes.findLast((scope) => scope.name === name);
  if (local) {
    return ({ slots, meter }) => {
      meter.charge(1);
      const value = slots[local.slot];
      if (value instanceof CelEvaluationError) throw value;
      return value ?? null;
    };
  }
  const plain = name.startsWith('.') ? name.slice(1) : name;
  return ({ bindings, meter }) => {
    meter.charge(1);
    const value = bindings.get(plain);
    return value === undefined ? evaluationError(`no such attribute(s): ${plain}`) : value;
  };
}

/** What a selection costs: on a name or selection one, on a computed value one more. */
function accessCost(operand: Expression): number {
  const isAttribute =
    operand.kind === 'ident' ||
    (operand.kind === 'select' && !operand.testOnly) ||
    (operand.kind === 'call' && ['_[_]', '_[?_]', '_?._'].includes(operand.name));
  return isAttribute ? 1 : 2;
}

/** A selection that is the name of a variable as a whole: `authorizer.requestResource`. */
function variableName(
  planner: Planner,
  { operand, field, testOnly }: Extract<Expression, { readonly kind: 'select' }>,
): string | undefined {
  if (operand.kind !== 'ident' || testOnly) return undefined;
  const name = `${operand.name}.${field}`;
  return planner.checked.variables.has(name) ? name : undefined;
}

function planSelect(planner: Planner, node: Extract<Expression, { readonly kind: 'select' }>): Step {
  const name = variableName(planner, node);
  if (name !== undefined) return planName(planner, name);
  const operand = plan(planner, node.operand);
  const { field } = node;
  if (node.testOnly) return (frame) => hasField(operand(frame), field);
  const cost = accessCost(node.operand);
  return (frame) => {
    const value = operand(frame);
    frame.meter.charge(cost);
    return selectField(value, field);
  };
}

function planCall(planner: Planner, node: CallExpression): Step {
  const isQualified = planner.checked.qualifiedCalls.has(node.id);
  const operands = node.target === undefined || isQualified ? node.args : [node.target, ...node.args];
  const steps = operands.map((operand) => plan(planner, operand));
  const [first, second, third] = steps;
  const [operand] = operands;
  if (first && second && third && node.name === '_?_:_') return planConditional(first, second, third);
  if (first && second && operand && !node.target) {
    const cost = accessCost(operand);
    switch (node.name) {
      case '_&&_':
        return planLogical(first, second, false);
      case '_||_':
        return planLogical(first, second, true);
      case '_[_]':
        return planAccess({ operand: first, index: second, cost }, selectIndex);
      case '_[?_]':
        return planAccess({ operand: first, index: second, cost }, optionalIndex);
      case '_?._':
        return planAccess({ operand: first, index: second, cost }, (value, field) =>
          typeof field === 'string' ? optionalField(value, field) : noSuchOverload(),
        );
      default:
    }
  }
  if (first && node.name === '@not_strictly_false') return planNotStrictlyFalse(first);
  return planFunction(planner, node, steps);
}

interface Access {
  readonly operand: Step;
  readonly index: Step;
  readonly cost: number;
}

function planAccess(
  { operand, index, cost }: Access,
  access: (value: CelValue, index: CelValue) => CelValue,
): Step {
  return (frame) => {
    const value = operand(frame);
    const key = index(frame);
    frame.meter.charge(cost);
    return access(value, key);
  };
}

function planConditional(condition: Step, truthy: Step, falsy: Step): Step {
  return (frame) => {
    const decided = condition(frame);
    if (typeof decided !== 'boolean') return noSuchOverload();
    return decided ? truthy(frame) : falsy(frame);
  };
}

function attempt(step: Step, frame: Frame): CelValue | CelEvaluationError {
  try {
    return step(frame);
  } catch (error) {
    if (error instanceof CelEvaluationError) return error;
    throw error;
  }
}

/** `&&` (decided by false) and `||` (decided by true): the deciding side absorbs the other's error. */
function planLogical(left: Step, right: Step, decisive: boolean): Step {
  return (frame) => {
    const first = attempt(left, frame);
    if (first === decisive) return decisive;
    const second = attempt(right, frame);
    if (second === decisive) return decisive;
    if (first instanceof CelEvaluationError) throw first;
    if (second instanceof CelEvaluationError) throw second;
    return typeof first === 'boolean' && typeof second === 'boolean' ? !decisive : noSuchOverload();
  };
}

function planNotStrictlyFalse(operand: Step): Step {
  return (frame) => {
    const value = attempt(operand, frame);
    frame.meter.charge(1);
    return value !== false;
  };
}

function planFunction(planner: Planner, node: CallExpression, steps: readonly Step[]): Step {
  const name = planner.checked.qualifiedCalls.get(node.id) ?? node.name;
  const isFree = name === '@in' && isConstantList(node.args[1]);
  const candidates = (planner.checked.overloads.get(node.id) ?? []).map((overload) => ({
    overload,
    run: overload.run,
    cost: isFree ? () => 0 : callCostOf(name, overload.id),
  }));
  return (frame) => {
    const args: CelValue[] = [];
    for (const step of steps) args.push(step(frame));
    for (const { overload, run, cost } of candidates) {
      if (!fits(overload, args)) continue;
      const result = run(...args);
      frame.meter.charge(cost(args, result));
      return result;
    }
    return missingOverload(name, args);
  };
}

function fits({ args: types }: Overload, args: readonly CelValue[]): boolean {
  for (let index = 0; index < types.length; index++) {
    const type = types[index];
    if (type && !acceptsValue(type, args[index] ?? null)) return false;
  }
  return true;
}

function missingOverload(name: string, args: readonly CelValue[]): never {
  if (/^[_@!-]/.test(name)) noSuchOverload();
  return evaluationError(`no such overload: ${name}(${args.map(typeNameOf).join(', ')})`);
}

function isConstantList(node: Expression | undefined): boolean {
  return node?.kind === 'list' && node.items.every((item) => item.kind === 'literal');
}

function planList(planner: Planner, node: ListExpression): Step {
  const steps = node.items.map((item) => plan(planner, item));
  const cost = isConstantList(node) ? 0 : LIST_COST;
  return (frame) => {
    const values: CelValue[] = [];
    for (const [index, step] of steps.entries()) {
      const value = step(frame);
      if (!node.optional.has(index)) values.push(value);
      else if (!isOptional(value))
        evaluationError(
          `cannot initialize optional list element from non-optional value ${typeNameOf(value)}`,
        );
      else if (value.value !== undefined) values.push(value.value);
    }
    frame.meter.charge(cost);
    return listOfValues(values);
  };
}

function planMap(planner: Planner, node: MapExpression): Step {
  const steps = node.entries.map(({ key, value, optional }) => ({
    key: plan(planner, key),
    value: plan(planner, value),
    optional,
  }));
  const isConstant = node.entries.every(
    ({ key, value }) => key.kind === 'literal' && value.kind === 'literal',
  );
  return (frame) => {
    const entries = new Map<string, readonly [CelValue, CelValue]>();
    for (const { key, value, optional } of steps) {
      const name = key(frame);
      const id = keyOf(name);
      if (id === '') evaluationError(`unsupported key type: ${typeNameOf(name)}`);
      const member = value(frame);
      if (entries.has(id)) evaluationError(`Failed with repeated key`);
      if (!optional) entries.set(id, [name, member]);
      else if (!isOptional(member))
        evaluationError(
          `cannot initialize optional entry '${id.slice(1)}' from non-optional value ${typeNameOf(member)}`,
        );
      else if (member.value !== undefined) entries.set(id, [name, member.value]);
    }
    frame.meter.charge(isConstant ? 0 : MAP_COST);
    return mapOfEntries(entries);
  };
}

function planStruct(planner: Planner, node: StructExpression): Step {
  const steps = node.fields.map(({ name, value, optional }) => ({
    name,
    value: plan(planner, value),
    optional,
  }));
  const typeName = node.name.startsWith('.') ? node.name.slice(1) : node.name;
  return (frame) => {
    const fields = new Map<string, CelValue>();
    for (const { name, value, optional } of steps) {
      const member = value(frame);
      if (!optional) fields.set(name, member);
      else if (!isOptional(member))
        evaluationError(
          `cannot initialize optional entry '${name}' from non-optional value ${typeNameOf(member)}`,
        );
      else if (member.value !== undefined) fields.set(name, member.value);
    }
    frame.meter.charge(STRUCT_COST);
    return structOf(typeName, fields);
  };
}

function structOf(typeName: string, fields: ReadonlyMap<string, CelValue>): CelStruct {
  return { kind: 'struct', typeName, get: (field) => fields.get(field), fields: () => [...fields.keys()] };
}

function planComprehension(planner: Planner, node: ComprehensionExpression): Step {
  const range = plan(planner, node.range);
  const init = plan(planner, node.init);
  const accumulator = declare(planner, node.accumulator);
  const first = declare(planner, node.variable);
  const second = node.variable2 === undefined ? undefined : declare(planner, node.variable2);
  const condition = plan(planner, node.condition);
  const step = plan(planner, node.step);
  planner.scopes.length -= second === undefined ? 1 : 2;
  const result = plan(planner, node.result);
  planner.scopes.length -= 1;
  return (frame) => {
    const { slots } = frame;
    const ranged = range(frame);
    slots[accumulator] = attempt(init, frame);
    const goesOn = (): boolean => {
      if (condition(frame) === false) return false;
      slots[accumulator] = attempt(step, frame);
      return true;
    };
    if (second === undefined)
      visitSingles(ranged, (value) => {
        slots[first] = value;
        return goesOn();
      });
    else
      visitPairs(ranged, (key, value) => {
        slots[first] = key;
        slots[second] = value;
        return goesOn();
      });
    return result(frame);
  };
}

function declare(planner: Planner, name: string): number {
  const slot = planner.slots++;
  planner.scopes.push({ name, slot });
  return slot;
}

/** Shows what one variable stands for, the items of a list or the keys of a map, until `visit` says no. */
function visitSingles(range: CelValue, visit: (value: CelValue) => boolean): void {
  const ranged = iterable(range);
  if (ranged.kind === 'list') {
    for (let index = 0; index < ranged.size; index++) if (!visit(ranged.at(index))) return;
  } else {
    for (const key of ranged.keys()) if (!visit(key)) return;
  }
}

/** Shows what two variables stand for, index and item of a list or key and value of a map, until `visit` says no. */
function visitPairs(range: CelValue, visit: (key: CelValue, value: CelValue) => boolean): void {
  const ranged = iterable(range);
  if (ranged.kind === 'list') {
    for (let index = 0; index < ranged.size; index++) if (!visit(BigInt(index), ranged.at(index))) return;
  } else {
    for (const key of ranged.keys()) if (!visit(key, ranged.get(key) ?? null)) return;
  }
}

function iterable(range: CelValue): Extract<CelValue, { readonly kind: 'list' | 'map' }> {
  if (typeof range !== 'object' || range === null || range instanceof Uint8Array) return noSuchOverload();
  return range.kind === 'list' || range.kind === 'map' ? range : noSuchOverload();
}
