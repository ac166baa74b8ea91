import type { CelMap, CelValue } from './value.ts';

/** Decoded JSON as CEL sees it without a schema: whole numbers are int, objects are maps. Nothing is copied; members are viewed when read. */
export function viewJson(json: unknown): CelValue {
  switch (typeof json) {
    case 'string':
    case 'boolean':
    case 'bigint':
      return json;
    case 'number':
      return Number.isSafeInteger(json) ? BigInt(json) : json;
    case 'object':
      if (json === null) return null;
      if (json instanceof Uint8Array) return json;
      return Array.isArray(json) ? viewList(json) : viewMap(json as Readonly<Record<string, unknown>>);
    default:
      return null;
  }
}

function viewList(list: readonly unknown[]): CelValue {
  return { kind: 'list', size: list.length, at: (index) => viewJson(list[index]) };
}

function viewMap(object: Readonly<Record<string, unknown>>): CelMap {
  return {
    kind: 'map',
    get size() {
      return memberNames(object).length;
    },
    get: (key) => {
      const member = typeof key === 'string' && Object.hasOwn(object, key) ? object[key] : undefined;
      return member === undefined ? undefined : viewJson(member);
    },
    keys: () => memberNames(object),
  };
}

function memberNames(object: Readonly<Record<string, unknown>>): string[] {
  return Object.keys(object).filter((name) => object[name] !== undefined);
}
