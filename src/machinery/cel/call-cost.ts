import type { CelValue } from './value.ts';

const TRAVERSAL = 0.1;
const REGEX = 0.25;

/** What a call costs that has been made. */
export type CallCost = (args: readonly CelValue[], result: CelValue) => number;

const one: CallCost = () => 1;
const firstTraversal: CallCost = (args) => traversal(sizeAt(args, 0));
const secondTraversal: CallCost = (args) => traversal(sizeAt(args, 1));
const doubleTraversal: CallCost = (args) => Math.ceil(sizeAt(args, 0) * 2 * TRAVERSAL);
const deepTraversal: CallCost = (args) => (args.length > 0 ? deepCost(args[0] ?? null) : 0);
const shorter: CallCost = (args) => traversal(Math.min(sizeAt(args, 0), sizeAt(args, 1)));
const sum: CallCost = (args) => traversal(sizeAt(args, 0) + sizeAt(args, 1));
const regex: CallCost = (args) => traversal(1 + sizeAt(args, 0)) * Math.ceil(sizeAt(args, 1) * REGEX);
const listResult: CallCost = (_args, result) => allocation(sizeOf(result));
const pairs: CallCost = (args) => sizeAt(args, 0) * sizeAt(args, 1) + 1;

/** Costs by function name, as `k8s.io/apiserver/pkg/cel/library` charges them. */
const BY_NAME: Readonly<Record<string, CallCost>> = {
  check: () => 350_000,
  ...each('serviceAccount path group resource subresource namespace name allowed reason error errored', one),
  ...each('fieldSelector labelSelector', firstSelectorCost),
  ...each('isSorted sum max min indexOf lastIndexOf', deepTraversal),
  ...each('url lowerAscii upperAscii substring trim', firstTraversal),
  ...each('cidr isIP isCIDR quantity isQuantity semver isSemver jsonpatch.escapeKey', firstTraversal),
  ...each('replace split', doubleTraversal),
  'ip.isCanonical': doubleTraversal,
  ip: firstTraversal,
  join: (_args, result) => Math.ceil(sizeOf(result) * 2 * TRAVERSAL),
  find: regex,
  findAll: regex,
  ...each(
    'masked prefixLength family isUnspecified isLoopback isLinkLocalMulticast isLinkLocalUnicast isGlobalUnicast',
    one,
  ),
  ...each('sign asInteger isInteger asApproximateFloat isGreaterThan isLessThan compareTo add sub', one),
  containsIP: (args) => traversal(2 * sizeAt(args, 0)) + parsing(args[1]),
  containsCIDR: (args) => traversal(2 * sizeAt(args, 0)) + traversal(sizeAt(args, 0)) + 1 + parsing(args[1]),
  validate: (args) => traversal(1 + sizeAt(args, 1)) * Math.ceil(patternSize(args[0] ?? null) * REGEX),
  'format.named': one,
  ...each('major minor patch getScheme getHostname getHost getPort getEscapedPath getQuery', one),
};

/** Costs by overload, as cel-go charges its own functions. */
const BY_ID: Readonly<Record<string, CallCost>> = {
  ...each('starts_with_string ends_with_string', secondTraversal),
  ...each('string_to_bytes bytes_to_string', firstTraversal),
  in_list: (args) => sizeAt(args, 1),
  ...each('less_string greater_string less_equals_string greater_equals_string', shorter),
  ...each('less_bytes greater_bytes less_equals_bytes greater_equals_bytes equals not_equals', shorter),
  ...each('add_string add_bytes', sum),
  matches: regex,
  matches_string: regex,
  contains_string: (args) => traversal(sizeAt(args, 0)) * traversal(sizeAt(args, 1)),
  ...each('list_slice lists_range list_reverse', listResult),
  list_flatten: (args) => allocation(sizeAt(args, 0)),
  list_flatten_int: (args) => allocation(sizeAt(args, 0) * Number(args[1])),
  list_distinct: (args) => selfComparison(args[0] ?? null),
  ...each('list_sets_contains_list list_sets_intersects_list', pairs),
  list_sets_equivalent_list: (args, result) => 2 * (pairs(args, result) - 1) + 1,
};

function each(names: string, cost: CallCost): Record<string, CallCost> {
  return Object.fromEntries(names.split(' ').map((name) => [name, cost]));
}

function firstSelectorCost(args: readonly CelValue[]): number {
  const length = sizeAt(args, 1);
  return 10 + traversal(length) + Math.ceil(length / 2) * 50;
}

/** How long the pattern behind a named format is, as its cost counts. */
function patternSize(format: CelValue): number {
  const payload = typeof format === 'object' && format !== null && 'payload' in format ? format.payload : {};
  return 'patternSize' in payload ? Number(payload.patternSize) : 1;
}

/** How calls of an overload are charged; the function's name decides before the overload's id. */
export function callCostOf(name: string, id: string): CallCost {
  if (id === 'cidr_ip') return one;
  if (/^list_.*_sort$/.test(id)) return (args) => selfComparison(args[0] ?? null);
  if (id.endsWith('_sortByAssociatedKeys')) return (args) => selfComparison(args[1] ?? null);
  return own(BY_NAME, name) ?? own(BY_ID, id) ?? one;
}

/** An argument that is given as text is read first. */
function parsing(argument: CelValue | undefined): number {
  return typeof argument === 'string' ? traversal(argument.length) : 0;
}

function own(table: Readonly<Record<string, CallCost>>, key: string): CallCost | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}

function traversal(size: number): number {
  return Math.ceil(size * TRAVERSAL);
}

function allocation(size: number): number {
  return size + 1 + 10;
}

function selfComparison(list: CelValue): number {
  const size = sizeOf(list);
  const first = isSized(list) && list.kind === 'list' && size > 0 ? list.at(0) : null;
  const factor = typeof first === 'string' || first instanceof Uint8Array ? 2 + TRAVERSAL : 2;
  return Math.floor(size * size * factor) + 11;
}

function sizeAt(args: readonly CelValue[], index: number): number {
  return sizeOf(args[index] ?? null);
}

type Sized = Extract<CelValue, { readonly kind: 'list' | 'map' }>;

function isSized(value: CelValue): value is Sized {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return false;
  return value.kind === 'list' || value.kind === 'map';
}

/** The size that costs depend on: characters, bytes, items or entries; 1 for everything else. */
export function sizeOf(value: CelValue): number {
  if (typeof value === 'string') return codePoints(value);
  if (value instanceof Uint8Array) return value.length;
  if (isSized(value)) return value.size;
  if (typeof value === 'object' && value?.kind === 'opaque' && 'size' in value.payload) {
    return Number(value.payload.size);
  }
  return 1;
}

/** How many Unicode characters a text has. */
export function codePoints(text: string): number {
  let count = text.length;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code >= 0xd800 && code <= 0xdbff) {
      count--;
      index++;
    }
  }
  return count;
}

function deepCost(value: CelValue): number {
  if (typeof value === 'string') return Math.floor(Buffer.byteLength(value) * TRAVERSAL);
  if (value instanceof Uint8Array) return Math.floor(value.length * TRAVERSAL);
  if (!isSized(value)) return 1;
  let cost = 0;
  if (value.kind === 'list') {
    for (let index = 0; index < value.size; index++) cost += deepCost(value.at(index));
  } else {
    for (const key of value.keys()) cost += deepCost(key) + deepCost(value.get(key) ?? null);
  }
  return cost;
}
