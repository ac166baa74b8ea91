import type { CelType } from './cel-type.ts';
import { MOST, fixed, plus, scaled, times } from './cost-estimate.ts';
import type { Estimate } from './cost-estimate.ts';
import type { Expression } from './expression.ts';

/** An operand of a call whose cost is estimated. */
export interface Operand {
  readonly node: Expression;
  readonly type: CelType;
  readonly size: Estimate;
  /** Of the items, when the operand is a list. */
  readonly itemSize: Estimate;
}

export interface CallShape {
  readonly name: string;
  readonly id: string;
  readonly target: Operand | undefined;
  readonly args: readonly Operand[];
}

/** The cost of a call without its operands, and the size of its result where that is known. */
export interface CallEstimate {
  readonly cost: Estimate;
  readonly size?: Estimate;
}

const TRAVERSAL = 0.1;
const REGEX = 0.25;
const ONE: CallEstimate = { cost: fixed(1) };

type Estimator = (call: CallShape, first: Operand, second: Operand | undefined) => CallEstimate;

const nominal: Estimator = () => ONE;
const traversedResult: Estimator = (_call, first) => ({
  cost: scaled(first.size, TRAVERSAL),
  size: first.size,
});

/** By function name, as `k8s.io/apiserver/pkg/cel/library` estimates them. `first` is the receiver, if there is one. */
const BY_NAME: Readonly<Record<string, Estimator>> = {
  check: () => ({ cost: fixed(350_000) }),
  ...each(
    'serviceAccount path group resource subresource namespace name allowed reason error errored',
    nominal,
  ),
  ...each('isSorted sum max min indexOf lastIndexOf', traversedItems),
  ...each('url jsonpatch.escapeKey', traversedResult),
  ...each('cidr isIP isCIDR ip ip.isCanonical quantity isQuantity semver isSemver format.named', nominal),
  ...each('major minor patch getScheme getHostname getHost getPort getEscapedPath getQuery', nominal),
  ...each('fieldSelector labelSelector', selector),
  '_==_': equality,
  ...each('lowerAscii upperAscii substring trim', traversedResult),
  replace: replaced,
  split: (call, first) => ({
    cost: scaled(first.size, 2 * TRAVERSAL),
    size: { min: 0, max: splitMost(call, first) },
  }),
  join: joined,
  ...each('find findAll', (_call, first, second) => ({
    cost: regexCost(first, second),
    size: { min: 0, max: first.size.max },
  })),
  ip: (call, first) => (call.id === 'cidr_ip' ? ONE : { cost: scaled(first.size, TRAVERSAL) }),
  'ip.isCanonical': (_call, first) => ({ cost: scaled(first.size, 2 * TRAVERSAL) }),
  ...each(
    'masked prefixLength family isUnspecified isLoopback isLinkLocalMulticast isLinkLocalUnicast isGlobalUnicast',
    nominal,
  ),
  ...each('sign asInteger isInteger asApproximateFloat isGreaterThan isLessThan compareTo add sub', nominal),
  containsIP: (call, _first, second) => ({
    cost: plus(scaled({ min: 8, max: 32 }, TRAVERSAL), parsed(call, second)),
  }),
  containsCIDR: (call, _first, second) => ({
    cost: plus(
      scaled({ min: 8, max: 32 }, TRAVERSAL),
      scaled({ min: 4, max: 16 }, TRAVERSAL),
      fixed(1),
      parsed(call, second),
    ),
  }),
  validate: (_call, _first, second) => ({
    cost: scaled(scaled(second?.size ?? fixed(0), TRAVERSAL), 128 * REGEX),
  }),
};

/** By overload, as cel-go estimates its own functions. */
const BY_ID: Readonly<Record<string, Estimator>> = {
  string_to_bytes: (_call, first) => ({
    cost: scaled(first.size, TRAVERSAL),
    size: { min: first.size.min, max: times(first.size, fixed(4)).max },
  }),
  bytes_to_string: (_call, first) => ({
    cost: scaled(first.size, TRAVERSAL),
    size: { min: first.size.min / 4, max: first.size.max },
  }),
  strings_quote: (_call, first) => ({
    cost: scaled(first.size, TRAVERSAL),
    size: { min: first.size.min + 2, max: times(first.size, fixed(2)).max + 2 },
  }),
  string_format: (_call, first) => ({ cost: scaled(first.size, TRAVERSAL) }),
  ...each('starts_with_string ends_with_string', (_call, _first, second) => ({
    cost: scaled(second?.size ?? fixed(0), TRAVERSAL),
  })),
  in_list: (_call, _first, second) => ({ cost: second?.size ?? fixed(1) }),
  ...each('matches matches_string', (_call, first, second) => ({ cost: regexCost(first, second) })),
  contains_string: (_call, first, second) => ({
    cost: times(scaled(first.size, TRAVERSAL), scaled(second?.size ?? fixed(0), TRAVERSAL)),
  }),
  ...each('add_string add_bytes', (_call, first, second) => {
    const size = plus(first.size, second?.size ?? fixed(0));
    return { cost: scaled(size, TRAVERSAL), size };
  }),
  add_list: (_call, first, second) => ({ cost: fixed(1), size: plus(first.size, second?.size ?? fixed(0)) }),
  ...each('less_string greater_string less_equals_string greater_equals_string', compared),
  ...each('less_bytes greater_bytes less_equals_bytes greater_equals_bytes not_equals', compared),
  list_slice: (call, first) => {
    const from = literalNumber(call.args[0], 0);
    const to = literalNumber(call.args[1], first.size.max);
    return allocated(1, fixed(Math.max(0, to - from)));
  },
  lists_range: (call) => allocated(1, fixed(literalNumber(call.args[0], MOST))),
  list_reverse: (_call, first) => allocated(1, first.size),
  ...each('list_flatten list_flatten_int', (call, first) =>
    allocated(call.args.length > 0 ? literalNumber(call.args[0], MOST) : 1, first.size),
  ),
  list_distinct: (_call, first) => allocated(2, times(first.size, first.size)),
  ...each('list_sets_contains_list list_sets_intersects_list', (_call, first, second) =>
    setsCost(first, second, 1),
  ),
  list_sets_equivalent_list: (_call, first, second) => setsCost(first, second, 2),
};

function each(names: string, estimator: Estimator): Record<string, Estimator> {
  return Object.fromEntries(names.split(' ').map((name) => [name, estimator]));
}

/** What a call is expected to cost beyond its operands. */
export function estimateCall(call: CallShape): CallEstimate {
  const operands = call.target ? [call.target, ...call.args] : call.args;
  const [first, second] = operands;
  if (!first) return ONE;
  const sorted = /^list_(.*)_(sort|sortByAssociatedKeys)$/.exec(call.id);
  if (sorted) {
    const keys = sorted[2] === 'sort' || !second ? first : second;
    const factor = sorted[1] === 'string' || sorted[1] === 'bytes' ? 2 + TRAVERSAL : 2;
    return allocated(factor, times(keys.size, keys.size));
  }
  const estimator = own(BY_ID, call.id) ?? own(BY_NAME, call.name);
  return estimator ? estimator(call, first, second) : ONE;
}

function own(table: Readonly<Record<string, Estimator>>, key: string): Estimator | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}

function allocated(factor: number, size: Estimate): CallEstimate {
  return { cost: plus(scaled(size, factor), fixed(1), fixed(10)), size };
}

function setsCost(first: Operand, second: Operand | undefined, factor: number): CallEstimate {
  return { cost: plus(scaled(times(first.size, second?.size ?? fixed(0)), factor), fixed(1)) };
}

function literalNumber(operand: Operand | undefined, otherwise: number): number {
  const node = operand?.node;
  return node?.kind === 'literal' && typeof node.value === 'bigint'
    ? Math.max(0, Number(node.value))
    : otherwise;
}

function regexCost(text: Operand, pattern: Operand | undefined): Estimate {
  return times(scaled(plus(text.size, fixed(1)), TRAVERSAL), scaled(pattern?.size ?? fixed(0), REGEX));
}

function compared(_call: CallShape, first: Operand, second: Operand | undefined): CallEstimate {
  const max = Math.min(first.size.max, second?.size.max ?? MOST);
  return { cost: scaled({ min: max > 0 ? 1 : 0, max }, TRAVERSAL) };
}

function selector(_call: CallShape, _first: Operand, second: Operand | undefined): CallEstimate {
  const size = second?.size ?? fixed(0);
  return { cost: plus(fixed(10), scaled(size, TRAVERSAL), scaled(scaled(size, 0.5), 50)) };
}

/** Values of Kubernetes' own types compare at a bounded cost. */
function equality(call: CallShape, first: Operand, second: Operand | undefined): CallEstimate {
  if (first.type.kind !== 'opaque' || !second || first.type.name === 'optional_type') {
    return compared(call, first, second);
  }
  if (first.type.name === 'kubernetes.NamedFormat') return { cost: scaled({ min: 1, max: 64 }, TRAVERSAL) };
  if (first.type.name === 'kubernetes.URL')
    return { cost: scaled({ min: 1, max: second.size.max }, TRAVERSAL) };
  return ONE;
}

function traversedItems(_call: CallShape, first: Operand): CallEstimate {
  if (first.type.kind !== 'list') return { cost: scaled(first.size, TRAVERSAL) };
  const { item } = first.type;
  const isText = item.kind === 'string' || item.kind === 'bytes';
  const perItem = isText ? plus(fixed(1), scaled(first.itemSize, TRAVERSAL)) : fixed(1);
  return { cost: times(first.size, perItem) };
}

function parsed(call: CallShape, argument: Operand | undefined): Estimate {
  return argument && call.id.endsWith('string') ? scaled(argument.size, TRAVERSAL) : fixed(0);
}

function splitMost(call: CallShape, text: Operand): number {
  return call.args.length > 1 ? literalNumber(call.args[1], text.size.max) : text.size.max;
}

function joined(call: CallShape, list: Operand): CallEstimate {
  const [separator] = call.args;
  const separators = { min: Math.max(0, list.size.min - 1), max: Math.max(0, list.size.max - 1) };
  const between = separator ? times(separator.size, separators) : fixed(0);
  const size = plus(times(list.size, list.itemSize), between);
  return { cost: scaled(size, TRAVERSAL), size };
}

function replaced(call: CallShape, text: Operand): CallEstimate {
  const [old, next] = call.args;
  const cost = scaled(text.size, 2 * TRAVERSAL);
  if (!old || !next) return { cost };
  const most = replacedMost(text.size.max, old.size.min, next.size.max);
  const least = replacedLeast(text.size.min, old.size.max, next.size.min);
  return { cost, size: { min: Math.min(least, MOST), max: Math.min(most, MOST) } };
}

/** The longest result of replacing texts of at least `old` characters by at most `next`. */
function replacedMost(length: number, old: number, next: number): number {
  if (old === 0) return (length + 1) * next + length;
  return next <= old ? length : Math.ceil(length / old) * next;
}

function replacedLeast(length: number, old: number, next: number): number {
  if (old === 0) return (length + 1) * next + length;
  return old <= next ? length : Math.ceil(length / old) * next;
}
