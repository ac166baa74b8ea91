import {
  BOOL,
  BYTES,
  DOUBLE,
  DYN,
  ERROR,
  INT,
  NULL,
  STRING,
  UINT,
  formatSignature,
  formatType,
  isDyn,
  listOf,
  mapOf,
  optionalInner,
  optionalOf,
  structType,
} from './cel-type.ts';
import type { CelType, TypeProvider } from './cel-type.ts';
import type { CelIssue } from './compile-error.ts';
import type {
  CallExpression,
  CelLiteral,
  ComprehensionExpression,
  Expression,
  ListExpression,
  MapExpression,
  StructExpression,
} from './expression.ts';
import type { FunctionTable, Overload } from './function-table.ts';
import { assignable, joinTypes, substitute } from './type-substitution.ts';
import type { Substitution } from './type-substitution.ts';

/** What the checker found out about an expression, by node id. */
export interface CheckedExpression {
  readonly root: Expression;
  readonly types: ReadonlyMap<number, CelType>;
  /** The overloads that a call may turn out to be. */
  readonly overloads: ReadonlyMap<number, readonly Overload[]>;
  /** Calls whose receiver is the first part of the function's name: `sets.contains`. */
  readonly qualifiedCalls: ReadonlyMap<number, string>;
  /** Selections that are names of types: `net.IP`. */
  readonly typeNames: ReadonlyMap<number, CelType>;
  /** Selections that are variables with dots in their names: `authorizer.requestResource`. */
  readonly dottedVariables: ReadonlyMap<number, string>;
  /** The environment's variables that occur. */
  readonly variables: ReadonlySet<string>;
}

export interface CheckEnvironment {
  readonly variables: ReadonlyMap<string, CelType>;
  readonly functions: FunctionTable;
  readonly types: TypeProvider;
  readonly typeNames: ReadonlyMap<string, CelType>;
}

interface Checker {
  readonly environment: CheckEnvironment;
  readonly issues: CelIssue[];
  readonly known: Substitution;
  readonly types: Map<number, CelType>;
  readonly overloads: Map<number, readonly Overload[]>;
  readonly qualifiedCalls: Map<number, string>;
  readonly typeNames: Map<number, CelType>;
  readonly dottedVariables: Map<number, string>;
  readonly variables: Set<string>;
  scopes: ReadonlyMap<string, CelType>[];
  fresh: number;
}

export interface CheckResult extends CheckedExpression {
  readonly issues: readonly CelIssue[];
}

/** Infers the types of a parsed expression. Issues carry cel-go's wording. */
export function checkExpression(root: Expression, environment: CheckEnvironment): CheckResult {
  const checker: Checker = {
    environment,
    issues: [],
    known: new Map(),
    types: new Map(),
    overloads: new Map(),
    qualifiedCalls: new Map(),
    typeNames: new Map(),
    dottedVariables: new Map(),
    variables: new Set(),
    scopes: [],
    fresh: 0,
  };
  check(checker, root);
  const types = new Map<number, CelType>();
  for (const [id, type] of checker.types) types.set(id, substitute(checker.known, type, 'dyn'));
  const { overloads, qualifiedCalls, typeNames, dottedVariables, variables, issues } = checker;
  return { root, types, overloads, qualifiedCalls, typeNames, dottedVariables, variables, issues };
}

function report(checker: Checker, node: { readonly offset: number }, message: string): CelType {
  checker.issues.push({ offset: node.offset, message });
  return ERROR;
}

function check(checker: Checker, node: Expression): CelType {
  const type = substitute(checker.known, inferType(checker, node));
  checker.types.set(node.id, type);
  return type;
}

function inferType(checker: Checker, node: Expression): CelType {
  switch (node.kind) {
    case 'literal':
      return literalType(node.value);
    case 'ident':
      return checkName(checker, node, node.name) ?? report(checker, node, undeclared(node.name));
    case 'select': {
      const name = qualifiedName(node);
      const named = name === undefined || node.testOnly ? undefined : checkName(checker, node, name);
      if (named) return named;
      const type = checkField(checker, node, { operand: node.operand, field: node.field, optional: false });
      return node.testOnly ? BOOL : type;
    }
    case 'call':
      return checkCall(checker, node);
    case 'list':
      return checkList(checker, node);
    case 'map':
      return checkMap(checker, node);
    case 'struct':
      return checkStruct(checker, node);
    default:
      return checkComprehension(checker, node);
  }
}

function literalType(value: CelLiteral): CelType {
  if (value === null) return NULL;
  switch (typeof value) {
    case 'boolean':
      return BOOL;
    case 'bigint':
      return INT;
    case 'number':
      return DOUBLE;
    case 'string':
      return STRING;
    default:
      return value instanceof Uint8Array ? BYTES : UINT;
  }
}

function undeclared(name: string): string {
  return `undeclared reference to '${name}' (in container '')`;
}

/** `a.b.c` of a chain of names; undefined for anything else. */
function qualifiedName(node: Expression): string | undefined {
  if (node.kind === 'ident') return node.name;
  if (node.kind !== 'select' || node.testOnly) return undefined;
  const prefix = qualifiedName(node.operand);
  return prefix === undefined ? undefined : `${prefix}.${node.field}`;
}

function localType(checker: Checker, name: string): CelType | undefined {
  return checker.scopes.findLast((scope) => scope.has(name))?.get(name);
}

function checkName(checker: Checker, node: Expression, name: string): CelType | undefined {
  const local = localType(checker, name);
  if (local) return local;
  const plain = name.startsWith('.') ? name.slice(1) : name;
  const declared = checker.environment.variables.get(plain);
  if (declared) {
    checker.variables.add(plain);
    if (node.kind === 'select') checker.dottedVariables.set(node.id, plain);
    return declared;
  }
  const named =
    checker.environment.typeNames.get(plain) ??
    (checker.environment.types.hasType(plain) ? structType(plain) : undefined);
  if (!named) return undefined;
  checker.typeNames.set(node.id, named);
  return { kind: 'type', of: named };
}

interface Selection {
  readonly operand: Expression;
  readonly field: string;
  readonly optional: boolean;
}

function checkField(checker: Checker, node: Expression, { operand, field, optional }: Selection): CelType {
  const operandType = check(checker, operand);
  const inner = optionalInner(operandType);
  const result = fieldType(checker, node, { target: inner ?? operandType, field });
  return inner || optional ? optionalOf(result) : result;
}

function fieldType(
  checker: Checker,
  node: Expression,
  { target, field }: { readonly target: CelType; readonly field: string },
): CelType {
  switch (target.kind) {
    case 'map':
      return target.value;
    case 'struct':
      return (
        checker.environment.types.fieldType(target.name, field) ??
        report(checker, node, `undefined field '${field}'`)
      );
    case 'param':
      assignable(checker.known, target, DYN);
      return DYN;
    default:
      if (isDyn(target)) return DYN;
      report(checker, node, `type '${formatType(target)}' does not support field selection`);
      return DYN;
  }
}

function checkCall(checker: Checker, node: CallExpression): CelType {
  if (node.name === '_?._') return checkOptionalSelect(checker, node);
  const args = node.args.map((arg) => check(checker, arg));
  const { functions } = checker.environment;
  if (node.target === undefined) {
    const name = node.name.startsWith('.') ? node.name.slice(1) : node.name;
    const overloads = functions.get(name);
    return overloads
      ? resolveCall(checker, node, { overloads, args, form: 'function' })
      : report(checker, node, undeclared(node.name));
  }
  const prefix = qualifiedName(node.target);
  if (prefix !== undefined && localType(checker, prefix) === undefined) {
    const name = `${prefix.startsWith('.') ? prefix.slice(1) : prefix}.${node.name}`;
    const overloads = functions.get(name);
    if (overloads) {
      checker.qualifiedCalls.set(node.id, name);
      return resolveCall(checker, node, { overloads, args, form: 'function' });
    }
  }
  const target = check(checker, node.target);
  const overloads = functions.get(node.name);
  return overloads
    ? resolveCall(checker, node, { overloads, args: [target, ...args], form: 'member' })
    : report(checker, node, undeclared(node.name));
}

function checkOptionalSelect(checker: Checker, node: CallExpression): CelType {
  const [operand, field] = node.args;
  if (!operand || field?.kind !== 'literal' || typeof field.value !== 'string') {
    return report(checker, node, 'unsupported optional field selection');
  }
  checker.types.set(field.id, STRING);
  return checkField(checker, node, { operand, field: field.value, optional: true });
}

interface CallShape {
  readonly overloads: readonly Overload[];
  readonly args: readonly CelType[];
  readonly form: 'member' | 'function';
}

function resolveCall(checker: Checker, node: CallExpression, { overloads, args, form }: CallShape): CelType {
  const fitting: Overload[] = [];
  let result: CelType | undefined;
  for (const overload of overloads) {
    if (overload.form !== form || overload.args.length !== args.length) continue;
    const renamed = freshParams(checker, overload);
    const trial: Substitution = new Map(checker.known);
    if (!renamed.args.every((arg, index) => assignable(trial, arg, args[index] ?? DYN))) continue;
    for (const [name, type] of trial) checker.known.set(name, type);
    fitting.push(overload);
    const type = substitute(checker.known, renamed.result);
    if (result === undefined) result = type;
    else if (!isDyn(result) && formatType(result) !== formatType(type)) result = DYN;
  }
  if (result === undefined) {
    const types = args.map((arg) => substitute(checker.known, arg, 'dyn'));
    const name = checker.qualifiedCalls.get(node.id) ?? node.name;
    return report(
      checker,
      node,
      `found no matching overload for '${name}' applied to '${formatSignature(types, form)}'`,
    );
  }
  checker.overloads.set(node.id, fitting);
  return result;
}

function freshType(checker: Checker): CelType {
  checker.fresh++;
  return { kind: 'param', name: `_var${checker.fresh}` };
}

/** The overload with type parameters of its own, so that two calls do not share them. */
function freshParams(checker: Checker, overload: Overload): Pick<Overload, 'args' | 'result'> {
  const renamed: Substitution = new Map();
  const visit = (type: CelType): void => {
    if (type.kind === 'param' && !renamed.has(type.name)) renamed.set(type.name, freshType(checker));
    else if (type.kind === 'list') visit(type.item);
    else if (type.kind === 'map') [type.key, type.value].forEach(visit);
    else if (type.kind === 'opaque') type.params.forEach(visit);
    else if (type.kind === 'type' && type.of) visit(type.of);
  };
  [...overload.args, overload.result].forEach(visit);
  if (renamed.size === 0) return overload;
  return {
    args: overload.args.map((arg) => substitute(renamed, arg)),
    result: substitute(renamed, overload.result),
  };
}

/** The common type of items; what does not fit is reported at its own place. */
function join(checker: Checker, node: Expression, joined: CelType | undefined, next: CelType): CelType {
  if (joined === undefined) return next;
  const common = joinTypes(checker.known, joined, next);
  if (common) return common;
  const expected = formatType(substitute(checker.known, joined));
  return report(checker, node, `expected type '${expected}' but found '${formatType(next)}'`);
}

/** The type inside an optional item `?x`. */
function unwrapped(checker: Checker, node: Expression, type: CelType): CelType {
  const inner = optionalInner(type);
  if (inner) return inner;
  if (isDyn(type)) return type;
  return report(
    checker,
    node,
    `expected type '${formatType(optionalOf(type))}' but found '${formatType(type)}'`,
  );
}

function checkList(checker: Checker, node: ListExpression): CelType {
  let joined: CelType | undefined;
  for (const [index, item] of node.items.entries()) {
    const type = check(checker, item);
    joined = join(checker, item, joined, node.optional.has(index) ? unwrapped(checker, item, type) : type);
  }
  return listOf(joined ?? freshType(checker));
}

function checkMap(checker: Checker, node: MapExpression): CelType {
  let keys: CelType | undefined;
  let values: CelType | undefined;
  for (const { key, value, optional } of node.entries) {
    keys = join(checker, key, keys, check(checker, key));
    const type = check(checker, value);
    values = join(checker, value, values, optional ? unwrapped(checker, value, type) : type);
  }
  return mapOf(keys ?? freshType(checker), values ?? freshType(checker));
}

function checkStruct(checker: Checker, node: StructExpression): CelType {
  const name = node.name.startsWith('.') ? node.name.slice(1) : node.name;
  const { types } = checker.environment;
  const isKnown = types.hasType(name);
  if (!isKnown) report(checker, node, undeclared(node.name));
  for (const field of node.fields) {
    const type = check(checker, field.value);
    const actual = field.optional ? unwrapped(checker, field.value, type) : type;
    if (!isKnown) continue;
    const declared = types.fieldType(name, field.name);
    if (!declared) report(checker, field, `undefined field '${field.name}'`);
    else if (!assignable(checker.known, declared, actual)) {
      const expected = formatType(declared);
      const found = formatType(actual);
      report(
        checker,
        field,
        `expected type of field '${field.name}' is '${expected}' but provided type is '${found}'`,
      );
    }
  }
  return isKnown ? structType(name) : ERROR;
}

function checkComprehension(checker: Checker, node: ComprehensionExpression): CelType {
  const range = check(checker, node.range);
  const init = check(checker, node.init);
  const [first, second] = iterationTypes(checker, node.range, range);
  const outer = checker.scopes;
  const accumulated = new Map([[node.accumulator, init]]);
  const iterated = new Map([[node.variable, node.variable2 === undefined ? second.single : first]]);
  if (node.variable2 !== undefined) iterated.set(node.variable2, second.pair);
  checker.scopes = [...outer, accumulated, iterated];
  expectType(checker, node.condition, BOOL);
  expectType(checker, node.step, init);
  checker.scopes = [...outer, accumulated];
  const result = check(checker, node.result);
  checker.scopes = outer;
  return result;
}

/** The type of the index or key, and of what one variable (`single`) or the second of two (`pair`) stands for. */
function iterationTypes(
  checker: Checker,
  node: Expression,
  range: CelType,
): readonly [CelType, { readonly single: CelType; readonly pair: CelType }] {
  switch (range.kind) {
    case 'list':
      return [INT, { single: range.item, pair: range.item }];
    case 'map':
      return [range.key, { single: range.key, pair: range.value }];
    case 'param':
      assignable(checker.known, range, DYN);
      return [DYN, { single: DYN, pair: DYN }];
    default:
      if (!isDyn(range)) {
        report(
          checker,
          node,
          `expression of type '${formatType(range)}' cannot be range of a comprehension (must be list, map, or dynamic)`,
        );
        return [ERROR, { single: ERROR, pair: ERROR }];
      }
      return [DYN, { single: DYN, pair: DYN }];
  }
}

function expectType(checker: Checker, node: Expression, expected: CelType): void {
  const actual = check(checker, node);
  if (assignable(checker.known, expected, actual)) return;
  const wanted = formatType(substitute(checker.known, expected));
  report(checker, node, `expected type '${wanted}' but found '${formatType(actual)}'`);
}
