import type { Structure } from '../structure/structure.ts';
import type { PathElement } from './path-element.ts';
import {
  attemptElement,
  isEmptyMap,
  itemsByElement,
  itemsOf,
  memberOf,
  membersOf,
  typedBy,
  type Typed,
  type TypedList,
  type TypedMap,
} from './typed-value.ts';

/**
 * Merges an applied configuration into an object (`TypedValue.Merge`): nothing is removed, the configuration wins, and what it
 * mentions of a list comes in its order. Undefined when nothing is left to show.
 */
export function mergeTyped(live: unknown, config: unknown, structure: Structure): unknown {
  if (config === undefined) return live;
  return merge(live, config, typedBy(structure, config));
}

function merge(live: unknown, config: unknown, typed: Typed): unknown {
  switch (typed.type) {
    case 'scalar':
      return config;
    case 'map':
      return mergeMaps(live, config, typed);
    default:
      return mergeLists(live, config, typed);
  }
}

function mergeMaps(live: unknown, config: unknown, typed: TypedMap): unknown {
  const before = membersOf(live);
  const applied = membersOf(config);
  if (typed.atomic || (isEmptyMap(before) && isEmptyMap(applied))) return config;
  const merged: Record<string, unknown> = {};
  for (const name in before)
    put(merged, name, mergeTyped(before[name], applied?.[name], memberOf(typed, name)));
  for (const name in applied) {
    if (before?.[name] === undefined)
      put(merged, name, mergeTyped(undefined, applied[name], memberOf(typed, name)));
  }
  return isEmptyMap(merged) ? undefined : merged;
}

function put(object: Record<string, unknown>, name: string, value: unknown): void {
  if (value !== undefined) object[name] = value;
}

function mergeLists(live: unknown, config: unknown, typed: TypedList): unknown {
  const before = itemsOf(live) ?? [];
  const applied = itemsOf(config) ?? [];
  if (typed.list === 'atomic' || (before.length === 0 && applied.length === 0)) return config;
  const merged = new ListMerge(typed, before, applied).run();
  return merged.length === 0 ? undefined : merged;
}

/** Weaves two lists: shared items stand in the configuration's order, items of the object alone stay before those they preceded. */
class ListMerge {
  readonly #typed: TypedList;
  readonly #live: readonly { readonly element: PathElement | undefined; readonly item: unknown }[];
  readonly #config: readonly PathElement[];
  readonly #liveItems: ReadonlyMap<PathElement, readonly unknown[]>;
  readonly #configItems: ReadonlyMap<PathElement, readonly unknown[]>;
  readonly #shared: PathElement[];
  readonly #merged = new Set<PathElement>();
  readonly #out: unknown[] = [];

  constructor(typed: TypedList, live: readonly unknown[], config: readonly unknown[]) {
    this.#typed = typed;
    this.#live = live.map((item) => ({ element: attemptElement(typed, item), item }));
    this.#liveItems = itemsByElement(typed, live);
    this.#configItems = itemsByElement(typed, config);
    this.#config = [...this.#configItems.keys()];
    this.#shared = this.#config.filter((element) => this.#liveItems.has(element));
  }

  run(): unknown[] {
    let left = 0;
    let right = 0;
    while (left < this.#live.length || right < this.#config.length) {
      const mine = this.#live[left];
      const applied = this.#config[right];
      if (mine && applied !== undefined) {
        if (mine.element === applied) {
          this.#take(applied);
          this.#shared.shift();
          left++;
          right++;
          continue;
        }
        if (this.#isConfigured(mine.element) && this.#shared.length > 0 && this.#shared[0] !== mine.element) {
          left++;
          continue;
        }
      }
      if (mine) {
        if (!this.#isConfigured(mine.element)) {
          this.#push(mergeTyped(mine.item, undefined, this.#typed.items));
          left++;
          continue;
        }
        if (mine.element !== undefined && this.#merged.has(mine.element)) left++;
      }
      if (applied !== undefined) {
        this.#take(applied);
        right++;
        if (this.#shared[0] === applied) this.#shared.shift();
      }
    }
    return this.#out;
  }

  #isConfigured(element: PathElement | undefined): boolean {
    return element !== undefined && this.#configItems.has(element);
  }

  /** Items that share their keys are replaced by the configured one. */
  #take(element: PathElement): void {
    this.#merged.add(element);
    const mine = this.#liveItems.get(element) ?? [];
    const applied = this.#configItems.get(element)?.at(-1);
    this.#push(mergeTyped(mine.length === 1 ? mine[0] : undefined, applied, this.#typed.items));
  }

  #push(item: unknown): void {
    if (item !== undefined) this.#out.push(item);
  }
}
