import { isDeepStrictEqual } from 'node:util';
import { isObject } from '../patch/json-value.ts';
import type { StructuralSchema } from './structural-schema.ts';

/** A value of an updated object beside the value that stood at the same place before. */
export interface Correlation {
  readonly value: unknown;
  /** Undefined when there was none, or when it cannot be told which one it was. */
  readonly old: unknown;
  readonly schema: StructuralSchema | undefined;
  /** Whether both are the same. */
  unchanged(): boolean;
  field(name: string): Correlation;
  item(index: number): Correlation;
}

/** Compares, and may note how long that takes. */
type TimedComparison = (compare: () => boolean) => boolean;

/** Pairs the values of an update; items of map lists by their keys, members of objects by their names. */
export function correlate(
  value: unknown,
  old: unknown,
  schema: StructuralSchema | undefined,
  timed: TimedComparison = (compare) => compare(),
): Correlation {
  let same: boolean | undefined;
  let byKey: ReadonlyMap<string, unknown> | undefined;
  return {
    value,
    old,
    schema,
    unchanged() {
      same ??= old !== undefined && timed(() => isDeepStrictEqual(value, old));
      return same;
    },
    field(name) {
      const { additionalProperties } = schema ?? {};
      const below =
        schema?.property(name) ??
        (typeof additionalProperties === 'object' ? additionalProperties : undefined);
      return correlate(memberOf(value, name), memberOf(old, name), below, timed);
    },
    item(index) {
      const item: unknown = Array.isArray(value) ? value[index] : undefined;
      if (!Array.isArray(old) || schema?.listType !== 'map') {
        return correlate(item, sameItem(item, old, schema), schema?.items, timed);
      }
      const keyOf = (one: unknown): string =>
        JSON.stringify(schema.listMapKeys.map((key) => memberOf(one, key)));
      byKey ??= new Map(old.map((one: unknown) => [keyOf(one), one]));
      return correlate(item, byKey.get(keyOf(item)), schema.items, timed);
    },
  };
}

/** Items of sets are their own identity; those of atomic lists have none. */
function sameItem(item: unknown, old: unknown, schema: StructuralSchema | undefined): unknown {
  if (schema?.listType !== 'set' || !Array.isArray(old)) return undefined;
  return old.find((one: unknown) => isDeepStrictEqual(one, item));
}

function memberOf(value: unknown, name: string): unknown {
  return isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}
