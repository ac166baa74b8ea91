import type { CelType } from './cel-type.ts';
import { parseSignature } from './signature.ts';
import type { Signature } from './signature.ts';
import type { CelValue } from './value.ts';

/** The work of a function; arguments fit the signature, the receiver comes first. */
export type CelFunction = (...args: readonly CelValue[]) => CelValue;

/** One way to call a function, written as cel-go documents it. */
export interface OverloadSource {
  /** cel-go's overload id; costs are looked up by it. */
  readonly id: string;
  readonly signature: string;
  readonly run: CelFunction;
}

/** A named set of functions that an environment offers. */
export type FunctionLibrary = readonly OverloadSource[];

export interface Overload extends Signature {
  readonly id: string;
  readonly run: CelFunction;
}

/** The functions of an environment by name. */
export type FunctionTable = ReadonlyMap<string, readonly Overload[]>;

/** Reads the libraries' signatures into one table. */
export function functionTable(libraries: readonly FunctionLibrary[]): FunctionTable {
  const table = new Map<string, Overload[]>();
  for (const { id, signature, run } of libraries.flat()) {
    const overload: Overload = { ...parseSignature(signature), id, run };
    const known = table.get(overload.name);
    if (known) known.push(overload);
    else table.set(overload.name, [overload]);
  }
  return table;
}

/** Whether a value may be an argument of the type, looking no deeper than its kind. */
export function acceptsValue(type: CelType, value: CelValue): boolean {
  switch (type.kind) {
    case 'dyn':
    case 'error':
    case 'param':
      return true;
    case 'null_type':
      return value === null;
    case 'bool':
      return typeof value === 'boolean';
    case 'int':
      return typeof value === 'bigint';
    case 'double':
      return typeof value === 'number';
    case 'string':
      return typeof value === 'string';
    case 'bytes':
      return value instanceof Uint8Array;
    default:
  }
  if (value === null || typeof value !== 'object' || value instanceof Uint8Array) return false;
  if (type.kind === 'opaque') {
    if (type.name === 'optional_type') return value.kind === 'optional';
    return value.kind === 'opaque' && value.typeName === type.name;
  }
  return value.kind === type.kind;
}
