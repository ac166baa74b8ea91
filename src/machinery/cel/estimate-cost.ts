import type { CheckedExpression } from './check.ts';
import { DYN, optionalInner } from './cel-type.ts';
import type { CelType } from './cel-type.ts';
import { codePoints } from './call-cost.ts';
import { MOST, UNKNOWN, fixed, plus, times, union } from './cost-estimate.ts';
import type { Estimate } from './cost-estimate.ts';
import { estimateCall } from './estimate-call.ts';
import type { CallEstimate, Operand } from './estimate-call.ts';
import type { CallExpression, ComprehensionExpression, Expression } from './expression.ts';
import type { SchemaType } from './schema-type.ts';

type Path = readonly string[];

/** Sizes of the keys and the values inside a list or map. */
interface EntrySizes {
  readonly container: 'list' | 'map';
  readonly key: Estimate;
  readonly value: Estimate;
}

interface Local {
  readonly name: string;
  readonly path: Path;
  readonly size: Estimate | undefined;
  readonly entries: EntrySizes | undefined;
}

interface Coster {
  readonly checked: CheckedExpression;
  readonly root: SchemaType | undefined;
  readonly paths: Map<number, Path>;
  readonly sizes: Map<number, Estimate>;
  readonly entries: Map<number, EntrySizes>;
  readonly locals: Local[];
}

/** The most that an expression can cost, as cel-go's static analysis bounds it; variables have the root's type. */
export function estimateCost(checked: CheckedExpression, root: SchemaType | undefined): Estimate {
  const coster: Coster = {
    checked,
    root,
    paths: new Map(),
    sizes: new Map(),
    entries: new Map(),
    locals: [],
  };
  return cost(coster, checked.root);
}

function typeOf(coster: Coster, node: Expression): CelType {
  return coster.checked.types.get(node.id) ?? DYN;
}

function cost(coster: Coster, node: Expression): Estimate {
  switch (node.kind) {
    case 'literal':
      return fixed(0);
    case 'ident': {
      const local = findLocal(coster, node.name);
      coster.paths.set(node.id, local ? local.path : [node.name]);
      return fixed(1);
    }
    case 'select': {
      const sum = cost(coster, node.operand);
      if (node.testOnly) return sum;
      coster.paths.set(node.id, [...pathOf(coster, node.operand), node.field]);
      const { kind } = typeOf(coster, node.operand);
      return kind === 'map' || kind === 'struct' || kind === 'param' ? plus(sum, fixed(1)) : sum;
    }
    case 'call':
      return costCall(coster, node);
    case 'list': {
      const costs = node.items.map((item) => cost(coster, item));
      const value = joined(node.items.map((item) => sizeOrUnknown(coster, item)));
      coster.entries.set(node.id, { container: 'list', key: fixed(1), value });
      return plus(...costs, fixed(10));
    }
    case 'map': {
      const costs = node.entries.flatMap(({ key, value }) => [cost(coster, key), cost(coster, value)]);
      coster.entries.set(node.id, {
        container: 'map',
        key: joined(node.entries.map(({ key }) => sizeOrUnknown(coster, key))),
        value: joined(node.entries.map(({ value }) => sizeOrUnknown(coster, value))),
      });
      return plus(...costs, fixed(30));
    }
    case 'struct':
      return plus(...node.fields.map(({ value }) => cost(coster, value)), fixed(40));
    default:
      return isBind(node) ? costBind(coster, node) : costComprehension(coster, node);
  }
}

function joined(sizes: readonly Estimate[]): Estimate {
  return sizes.length === 0 ? fixed(0) : sizes.reduce(union, { min: MOST, max: 0 });
}

function findLocal(coster: Coster, name: string): Local | undefined {
  return coster.locals.findLast((local) => local.name === name);
}

function pathOf(coster: Coster, node: Expression): Path {
  const local = node.kind === 'ident' ? findLocal(coster, node.name) : undefined;
  return local?.path ?? coster.paths.get(node.id) ?? [];
}

function sizeOrUnknown(coster: Coster, node: Expression): Estimate {
  return computeSize(coster, node) ?? UNKNOWN;
}

function computeSize(coster: Coster, node: Expression): Estimate | undefined {
  const known = coster.sizes.get(node.id);
  if (known) return known;
  const written = writtenSize(node);
  if (written !== undefined) return fixed(written);
  const declared = declaredSize(coster, pathOf(coster, node));
  if (declared) {
    coster.sizes.set(node.id, declared);
    return declared;
  }
  if (isScalar(typeOf(coster, node))) return fixed(1);
  return node.kind === 'ident' ? findLocal(coster, node.name)?.size : undefined;
}

function writtenSize(node: Expression): number | undefined {
  if (node.kind === 'list') return node.items.length;
  if (node.kind === 'map') return node.entries.length;
  if (node.kind !== 'literal') return undefined;
  if (typeof node.value === 'string') return codePoints(node.value);
  return node.value instanceof Uint8Array ? node.value.length : 1;
}

/** The size that the schema allows at a path; the first element is the variable. */
function declaredSize({ root }: Coster, path: Path): Estimate | undefined {
  if (path.length === 0 || !root) return undefined;
  let type: SchemaType | undefined = root;
  for (const name of path.slice(1)) {
    if (name === '@keys') {
      if (type.type.kind !== 'map') return undefined;
      return { min: 0, max: 0 };
    }
    type = name === '@items' || name === '@values' ? type.item : type.fields?.get(name)?.type;
    if (!type) return undefined;
  }
  return { min: 0, max: type.maxElements };
}

const SCALARS = new Set(['bool', 'double', 'duration', 'int', 'timestamp', 'uint']);

function isScalar(type: CelType): boolean {
  const inner = optionalInner(type);
  return inner ? isScalar(inner) : SCALARS.has(type.kind);
}

function computeEntries(coster: Coster, node: Expression): EntrySizes | undefined {
  return (
    coster.entries.get(node.id) ?? (node.kind === 'ident' ? findLocal(coster, node.name)?.entries : undefined)
  );
}

function operandOf(coster: Coster, node: Expression): Operand {
  const path = pathOf(coster, node);
  const items = path.length === 0 ? undefined : declaredSize(coster, [...path, '@items']);
  return { node, type: typeOf(coster, node), size: sizeOrUnknown(coster, node), itemSize: items ?? UNKNOWN };
}

function costCall(coster: Coster, node: CallExpression): Estimate {
  const [first] = node.args;
  if (node.name === 'dyn' && first) {
    const inner = cost(coster, first);
    copySizes(coster, node, first);
    return plus(inner, fixed(1));
  }
  const argCosts = node.args.map((arg) => cost(coster, arg));
  const isQualified = coster.checked.qualifiedCalls.has(node.id);
  const target = isQualified ? undefined : node.target;
  const targetCost = target ? cost(coster, target) : fixed(0);
  const overloads = coster.checked.overloads.get(node.id) ?? [];
  if (overloads.length === 0) return node.name === '_?._' ? plus(...argCosts, fixed(1)) : fixed(0);
  let total: Estimate = { min: MOST, max: 0 };
  let size: Estimate | undefined;
  for (const { id } of overloads) {
    const estimate = overloadCost(coster, node, { id, argCosts, target });
    total = union(total, estimate.cost);
    if (estimate.size) size = size ? union(size, estimate.size) : estimate.size;
    if (id === 'index_list' && first) {
      size = computeEntries(coster, first)?.value;
      coster.paths.set(node.id, [...pathOf(coster, first), '@items']);
    } else if (id === 'index_map' && first) {
      size = computeEntries(coster, first)?.value;
      coster.paths.set(node.id, [...pathOf(coster, first), '@values']);
    }
    size ??= computeSize(coster, node);
  }
  if (size) coster.sizes.set(node.id, size);
  return plus(targetCost, total);
}

interface OverloadCall {
  readonly id: string;
  readonly argCosts: readonly Estimate[];
  readonly target: Expression | undefined;
}

function overloadCost(
  coster: Coster,
  node: CallExpression,
  { id, argCosts, target }: OverloadCall,
): CallEstimate {
  const [left = fixed(0), right = fixed(0), other = fixed(0)] = argCosts;
  if (id === 'logical_and' || id === 'logical_or') {
    return { cost: { min: left.min, max: plus(left, right).max } };
  }
  const args = node.args.map((arg) => operandOf(coster, arg));
  const [, truthy, falsy] = args;
  if (id === 'conditional' && truthy && falsy) {
    joinEntries(coster, node, [truthy.node, falsy.node]);
    return { cost: plus(left, union(right, other)), size: union(truthy.size, falsy.size) };
  }
  if (id.startsWith('add_')) joinEntries(coster, node, node.args);
  const name = coster.checked.qualifiedCalls.get(node.id) ?? node.name;
  const call = estimateCall({ name, id, target: target && operandOf(coster, target), args });
  return { ...call, cost: plus(call.cost, ...argCosts) };
}

function joinEntries(coster: Coster, node: Expression, parts: readonly Expression[]): void {
  const [left, right] = parts.map((part) => computeEntries(coster, part));
  if (!left || !right) return;
  coster.entries.set(node.id, {
    container: left.container,
    key: union(left.key, right.key),
    value: union(left.value, right.value),
  });
}

function copySizes(coster: Coster, to: Expression, from: Expression): void {
  const size = computeSize(coster, from);
  const entries = computeEntries(coster, from);
  if (size) coster.sizes.set(to.id, size);
  if (entries) coster.entries.set(to.id, entries);
}

function isBind(node: ComprehensionExpression): boolean {
  return (
    node.range.kind === 'list' &&
    node.range.items.length === 0 &&
    node.condition.kind === 'literal' &&
    node.condition.value === false
  );
}

function localFor(coster: Coster, name: string, node: Expression): Local {
  const size = computeSize(coster, node);
  return { name, path: pathOf(coster, node), size, entries: computeEntries(coster, node) };
}

function costBind(coster: Coster, node: ComprehensionExpression): Estimate {
  const sum = plus(cost(coster, node.range), cost(coster, node.init));
  coster.locals.push(localFor(coster, node.accumulator, node.init));
  const result = cost(coster, node.result);
  coster.locals.pop();
  copySizes(coster, node, node.result);
  return plus(sum, result);
}

function costComprehension(coster: Coster, node: ComprehensionExpression): Estimate {
  const sum = plus(cost(coster, node.range), cost(coster, node.init));
  coster.locals.push(localFor(coster, node.accumulator, node.init));
  const iterated = iterationLocals(coster, node);
  coster.locals.push(...iterated);
  const perItem = plus(cost(coster, node.condition), cost(coster, node.step));
  coster.locals.length -= iterated.length;
  const result = cost(coster, node.result);
  coster.locals.pop();
  const count = sizeOrUnknown(coster, node.range);
  if (node.init.kind === 'literal') {
    const size = computeSize(coster, node.init);
    if (size) coster.sizes.set(node.id, size);
  } else if (node.init.kind === 'list' || node.init.kind === 'map') {
    coster.sizes.set(node.id, count);
    const entries = computeEntries(coster, node.step);
    if (entries) coster.entries.set(node.id, entries);
  }
  return plus(sum, result, times(count, perItem));
}

function iterationLocals(coster: Coster, { variable, variable2, range }: ComprehensionExpression): Local[] {
  const entries = computeEntries(coster, range);
  const path = pathOf(coster, range);
  const isList = (entries?.container ?? typeOf(coster, range).kind) === 'list';
  const local = (name: string, below: string, size: Estimate | undefined): Local => ({
    name,
    path: [...path, below],
    size,
    entries: undefined,
  });
  if (variable2 !== undefined) {
    return [
      local(variable, isList ? '@indices' : '@keys', entries?.key),
      local(variable2, isList ? '@items' : '@values', entries?.value),
    ];
  }
  return isList ? [local(variable, '@items', entries?.value)] : [local(variable, '@keys', entries?.key)];
}
