/** The types without parameters. `error` stands for what failed to check. */
export type SimpleKind =
  | 'dyn'
  | 'error'
  | 'null_type'
  | 'bool'
  | 'int'
  | 'uint'
  | 'double'
  | 'string'
  | 'bytes'
  | 'timestamp'
  | 'duration';

/** A CEL type. `struct` has fields in a {@link TypeProvider}; `opaque` has none (`net.IP`, `optional_type`). */
export type CelType =
  | { readonly kind: SimpleKind }
  | { readonly kind: 'list'; readonly item: CelType }
  | { readonly kind: 'map'; readonly key: CelType; readonly value: CelType }
  | { readonly kind: 'type'; readonly of?: CelType }
  | { readonly kind: 'struct'; readonly name: string }
  | { readonly kind: 'opaque'; readonly name: string; readonly params: readonly CelType[] }
  | { readonly kind: 'param'; readonly name: string };

/** Where a check looks up message types. */
export interface TypeProvider {
  /** Whether `name` is a type that can be written in an expression (`Object{…}`). */
  readonly hasType: (name: string) => boolean;
  readonly fieldType: (typeName: string, field: string) => CelType | undefined;
}

export const DYN: CelType = { kind: 'dyn' };
export const ERROR: CelType = { kind: 'error' };
export const NULL: CelType = { kind: 'null_type' };
export const BOOL: CelType = { kind: 'bool' };
export const INT: CelType = { kind: 'int' };
export const UINT: CelType = { kind: 'uint' };
export const DOUBLE: CelType = { kind: 'double' };
export const STRING: CelType = { kind: 'string' };
export const BYTES: CelType = { kind: 'bytes' };
export const TIMESTAMP: CelType = { kind: 'timestamp' };
export const DURATION: CelType = { kind: 'duration' };

export function listOf(item: CelType): CelType {
  return { kind: 'list', item };
}

export function mapOf(key: CelType, value: CelType): CelType {
  return { kind: 'map', key, value };
}

export function structType(name: string): CelType {
  return { kind: 'struct', name };
}

export function opaqueType(name: string, params: readonly CelType[] = []): CelType {
  return { kind: 'opaque', name, params };
}

const OPTIONAL = 'optional_type';

export function optionalOf(type: CelType): CelType {
  return opaqueType(OPTIONAL, [type]);
}

/** The type inside an optional; undefined for every other type. */
export function optionalInner(type: CelType): CelType | undefined {
  return type.kind === 'opaque' && type.name === OPTIONAL ? type.params[0] : undefined;
}

const NAMES: Readonly<Record<string, string>> = {
  error: '!error!',
  null_type: 'null',
  timestamp: 'timestamp',
  duration: 'duration',
};

/** The type as cel-go prints it: `map(string, list(int))`. */
export function formatType(type: CelType): string {
  switch (type.kind) {
    case 'list':
      return `list(${formatType(type.item)})`;
    case 'map':
      return `map(${formatType(type.key)}, ${formatType(type.value)})`;
    case 'type':
      return type.of ? `type(${formatType(type.of)})` : 'type';
    case 'struct':
    case 'param':
      return type.name;
    case 'opaque':
      return type.params.length > 0 ? `${type.name}(${type.params.map(formatType).join(', ')})` : type.name;
    default:
      return NAMES[type.kind] ?? type.kind;
  }
}

/** A function applied to types, as cel-go prints it: `string.(int, bool)` or `(int, string)`. */
export function formatSignature(types: readonly CelType[], form: 'member' | 'function'): string {
  const names = types.map(formatType);
  if (form === 'function') return `(${names.join(', ')})`;
  return `${names[0] ?? ''}.(${names.slice(1).join(', ')})`;
}

export function isDyn(type: CelType): boolean {
  return type.kind === 'dyn' || type.kind === 'error';
}
