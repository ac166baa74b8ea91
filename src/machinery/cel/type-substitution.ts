import { DYN, isDyn } from './cel-type.ts';
import type { CelType } from './cel-type.ts';

/** What the type parameters of one check stand for, by their unique names. */
export type Substitution = Map<string, CelType>;

/** The type with known parameters replaced; `free` says what becomes of the others. */
export function substitute(known: Substitution, type: CelType, free: 'keep' | 'dyn' = 'keep'): CelType {
  switch (type.kind) {
    case 'param': {
      const found = known.get(type.name);
      if (found !== undefined) return substitute(known, found, free);
      return free === 'dyn' ? DYN : type;
    }
    case 'list':
      return { kind: 'list', item: substitute(known, type.item, free) };
    case 'map':
      return {
        kind: 'map',
        key: substitute(known, type.key, free),
        value: substitute(known, type.value, free),
      };
    case 'opaque':
      return type.params.length === 0
        ? type
        : { ...type, params: type.params.map((param) => substitute(known, param, free)) };
    case 'type':
      return type.of ? { kind: 'type', of: substitute(known, type.of, free) } : type;
    default:
      return type;
  }
}

/** Whether values of `from` fit `to`; binds parameters in `known` (possibly also when the answer is no). */
export function assignable(known: Substitution, to: CelType, from: CelType): boolean {
  const target = resolve(known, to);
  const source = resolve(known, from);
  if (target.kind === 'param' || source.kind === 'param') return bindParam(known, target, source);
  if (isDyn(target) || isDyn(source)) return true;
  if (source.kind === 'null_type') return target.kind === 'null_type' || isNullable(target);
  if (target.kind === 'null_type') return isNullable(source);
  switch (target.kind) {
    case 'list':
      return source.kind === 'list' && assignable(known, target.item, source.item);
    case 'map':
      return (
        source.kind === 'map' &&
        assignable(known, target.key, source.key) &&
        assignable(known, target.value, source.value)
      );
    case 'type':
      return source.kind === 'type';
    case 'struct':
      return source.kind === 'struct' && source.name === target.name;
    case 'opaque':
      return (
        source.kind === 'opaque' &&
        source.name === target.name &&
        source.params.length === target.params.length &&
        target.params.every((param, index) => assignable(known, param, source.params[index] ?? DYN))
      );
    default:
      return source.kind === target.kind;
  }
}

function resolve(known: Substitution, type: CelType): CelType {
  let resolved = type;
  while (resolved.kind === 'param') {
    const next = known.get(resolved.name);
    if (next === undefined) return resolved;
    resolved = next;
  }
  return resolved;
}

function bindParam(known: Substitution, target: CelType, source: CelType): boolean {
  if (target.kind === 'param' && source.kind === 'param' && target.name === source.name) return true;
  const [param, type] = target.kind === 'param' ? [target, source] : [source, target];
  if (param.kind !== 'param' || occurs(known, param.name, type)) return false;
  known.set(param.name, type);
  return true;
}

function occurs(known: Substitution, name: string, type: CelType): boolean {
  const resolved = resolve(known, type);
  switch (resolved.kind) {
    case 'param':
      return resolved.name === name;
    case 'list':
      return occurs(known, name, resolved.item);
    case 'map':
      return occurs(known, name, resolved.key) || occurs(known, name, resolved.value);
    case 'opaque':
      return resolved.params.some((param) => occurs(known, name, param));
    default:
      return false;
  }
}

function isNullable(type: CelType): boolean {
  return (
    type.kind === 'opaque' || type.kind === 'struct' || type.kind === 'timestamp' || type.kind === 'duration'
  );
}

/** The more general of two types of items in one list or map: equal types stay, mixed ones become dyn. */
export function joinTypes(known: Substitution, left: CelType, right: CelType): CelType | undefined {
  if (isDyn(left) || isDyn(right)) return DYN;
  const trial = new Map(known);
  if (!assignable(trial, left, right)) return undefined;
  for (const [name, type] of trial) known.set(name, type);
  return left;
}
