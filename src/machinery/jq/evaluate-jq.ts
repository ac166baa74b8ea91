import { operate } from './jq-arithmetic.ts';
import { JqError } from './jq-error.ts';
import { applyFormat } from './jq-formats.ts';
import { jqGenerators, jqNatives, type JqWorld } from './jq-natives.ts';
import type { JqNode, JqPattern } from './jq-node.ts';
import {
  deletePaths,
  describe,
  getPath,
  isJqObject,
  isTruthy,
  member,
  setPath,
  slice,
  toJson,
} from './jq-value.ts';

/** A value on its way, with where it was found when that is asked for. */
interface Item {
  readonly value: unknown;
  readonly path: readonly unknown[] | undefined;
}

type Emit = (item: Item) => void;

interface Definition {
  readonly parameters: readonly string[];
  readonly body: JqNode;
  /** Where the body's names are looked up; a definition sees itself. */
  scope: Scope;
}

/** Names that are visible: a chain from the inside out. */
export interface Scope {
  readonly parent: Scope | undefined;
  readonly variables?: ReadonlyMap<string, unknown>;
  readonly functions?: ReadonlyMap<string, Definition>;
  readonly closures?: ReadonlyMap<string, { readonly body: JqNode; readonly scope: Scope }>;
  readonly labels?: ReadonlyMap<string, object>;
  readonly world: JqWorld;
}

class Break extends Error {
  readonly label: object;

  constructor(label: object) {
    super('break');
    this.label = label;
  }
}

/** Hands every output of the filter to `emit`, in order. Throws {@link JqError}. */
export function evaluateJq(node: JqNode, value: unknown, scope: Scope, emit: (value: unknown) => void): void {
  run(node, { value, path: undefined }, scope, (item) => emit(item.value));
}

/** The scope with the definitions that begin `node` (a chain of `def`s); all of them see each other. */
export function scopeOf(node: JqNode, world: JqWorld): Scope {
  const functions = new Map<string, Definition>();
  const scope: Scope = { parent: undefined, world, functions };
  for (let at = node; at.type === 'define'; at = at.rest) {
    const { name, parameters, body } = at;
    functions.set(`${name}/${parameters.length}`, { parameters, body, scope });
  }
  return scope;
}

function run(node: JqNode, item: Item, scope: Scope, emit: Emit): void {
  switch (node.type) {
    case 'identity':
      return emit(item);
    case 'literal':
      return emit(fresh(node.value));
    case 'recurse':
      return recurse(item, emit);
    case 'index':
      return each(node.key, item, scope, (key) => {
        run(node.of, item, scope, (of) => emit(step(of, key)));
      });
    case 'slice':
      return runSlice(node, item, scope, emit);
    case 'iterate':
      return run(node.of, item, scope, (of) => iterate(of, emit));
    case 'pipe':
      return run(node.left, item, scope, (left) => run(node.right, left, scope, emit));
    case 'comma':
      run(node.left, item, scope, emit);
      return run(node.right, item, scope, emit);
    case 'text':
      return runText(node, item, scope, emit);
    case 'format':
      return emit(fresh(applyFormat(node.name, item.value)));
    case 'try':
      return runTry(node, item, scope, emit);
    case 'negate':
      return each(node.of, item, scope, (value) => emit(fresh(operate('-', 0, value))));
    case 'binary':
      return runBinary(node, item, scope, emit);
    case 'update':
      return runUpdate(node, item, scope, emit);
    case 'array':
      return emit(fresh(node.body ? collect(node.body, item, scope) : []));
    case 'object':
      return runObject(node.entries, {}, { item, scope, emit });
    case 'if':
      return each(node.condition, item, scope, (condition) => {
        if (isTruthy(condition)) run(node.yes, item, scope, emit);
        else if (node.otherwise) run(node.otherwise, item, scope, emit);
        else emit(item);
      });
    case 'reduce':
      return runReduce(node, item, scope, emit);
    case 'foreach':
      return runForeach(node, item, scope, emit);
    case 'bind':
      return each(node.source, item, scope, (value) =>
        bind(node.pattern, value, { item, scope }, (inner) => run(node.body, item, inner, emit)),
      );
    case 'variable':
      return emit(fresh(variable(node.name, scope)));
    case 'define':
      return run(node.rest, item, defining(node, scope), emit);
    case 'label':
      return runLabel(node, item, scope, emit);
    case 'break':
      throw new Break(
        find(scope, (one) => one.labels?.get(node.name)) ?? fail(`$*label-${node.name} is not defined`),
      );
    case 'call':
      return runCall(node, item, scope, emit);
  }
}

function fail(message: string): never {
  throw new JqError(message);
}

function fresh(value: unknown): Item {
  return { value, path: undefined };
}

/** Every output's value, without where it is. */
function each(node: JqNode, item: Item, scope: Scope, emit: (value: unknown) => void): void {
  if (node.type === 'literal') return emit(node.value);
  run(node, fresh(item.value), scope, (found) => emit(found.value));
}

function collect(node: JqNode, item: Item, scope: Scope): unknown[] {
  const values: unknown[] = [];
  each(node, item, scope, (value) => values.push(value));
  return values;
}

function step({ value, path }: Item, key: unknown): Item {
  return { value: member(value, key), path: path && [...path, key] };
}

function iterate({ value, path }: Item, emit: Emit): void {
  if (Array.isArray(value)) {
    for (const [at, inner] of (value as unknown[]).entries())
      emit({ value: inner ?? null, path: path && [...path, at] });
  } else if (isJqObject(value)) {
    for (const key of Object.keys(value)) emit({ value: value[key] ?? null, path: path && [...path, key] });
  } else fail(`cannot iterate over: ${describe(value)}`);
}

function recurse(item: Item, emit: Emit): void {
  emit(item);
  if (typeof item.value === 'object' && item.value !== null) iterate(item, (inner) => recurse(inner, emit));
}

function runSlice(node: JqNode & { type: 'slice' }, item: Item, scope: Scope, emit: Emit): void {
  const nothing: JqNode = { type: 'literal', value: null };
  each(node.to ?? nothing, item, scope, (end) =>
    each(node.from ?? nothing, item, scope, (start) =>
      run(node.of, item, scope, ({ value, path }) =>
        emit({ value: slice(value, start, end), path: path && [...path, { start, end }] }),
      ),
    ),
  );
}

function runText({ parts, format }: JqNode & { type: 'text' }, item: Item, scope: Scope, emit: Emit): void {
  const build = (at: number, text: string): void => {
    const part = parts[at];
    if (part === undefined) return emit(fresh(text));
    if (typeof part === 'string') return build(at + 1, text + part);
    each(part, item, scope, (value) => {
      const shown =
        format === undefined
          ? typeof value === 'string'
            ? value
            : toJson(value)
          : applyFormat(format, value);
      build(at + 1, text + shown);
    });
  };
  build(0, '');
}

function runTry({ body, handler }: JqNode & { type: 'try' }, item: Item, scope: Scope, emit: Emit): void {
  // What goes wrong later, with an output of the body, is not the body's.
  let inside = true;
  try {
    run(body, item, scope, (value) => {
      inside = false;
      emit(value);
      inside = true;
    });
  } catch (error) {
    if (!inside || !(error instanceof JqError)) throw error;
    if (handler) run(handler, fresh(error.value), scope, emit);
  }
}

function runBinary(node: JqNode & { type: 'binary' }, item: Item, scope: Scope, emit: Emit): void {
  const { operator, left, right } = node;
  if (operator === '//') return runAlternative(node, item, scope, emit);
  if (operator === 'and' || operator === 'or') {
    return each(left, item, scope, (a) => {
      if (isTruthy(a) === (operator === 'or')) emit(fresh(operator === 'or'));
      else each(right, item, scope, (b) => emit(fresh(isTruthy(b))));
    });
  }
  each(right, item, scope, (b) => each(left, item, scope, (a) => emit(fresh(operate(operator, a, b)))));
}

/** Every output of the left side that is something, else the right side. */
function runAlternative(
  { left, right }: JqNode & { type: 'binary' },
  item: Item,
  scope: Scope,
  emit: Emit,
): void {
  const found: Item[] = [];
  try {
    run(left, item, scope, (one) => {
      if (isTruthy(one.value)) found.push(one);
    });
  } catch (error) {
    if (!(error instanceof JqError)) throw error;
  }
  if (found.length > 0) for (const one of found) emit(one);
  else run(right, item, scope, emit);
}

function pathsOf(node: JqNode, item: Item, scope: Scope): (readonly unknown[])[] {
  const paths: (readonly unknown[])[] = [];
  run(node, { value: item.value, path: [] }, scope, ({ path, value }) => {
    paths.push(path ?? fail(`invalid path expression with result ${describe(value)}`));
  });
  return paths;
}

function runUpdate(node: JqNode & { type: 'update' }, item: Item, scope: Scope, emit: Emit): void {
  const { operator, left, right } = node;
  if (operator === '|=') {
    let value = item.value;
    const gone: (readonly unknown[])[] = [];
    for (const path of pathsOf(left, item, scope)) {
      const found = collect(right, fresh(getPath(value, path)), scope);
      if (found.length === 0) gone.push(path);
      else value = setPath(value, path, found[0]);
    }
    return emit(fresh(gone.length > 0 ? deletePaths(value, gone) : value));
  }
  each(right, item, scope, (operand) => {
    let value = item.value;
    for (const path of pathsOf(left, item, scope)) {
      const held = getPath(value, path);
      value = setPath(value, path, assigned(operator.slice(0, -1), held, operand));
    }
    emit(fresh(value));
  });
}

function assigned(operator: string, held: unknown, operand: unknown): unknown {
  if (operator === '') return operand;
  if (operator === '//') return isTruthy(held) ? held : operand;
  return operate(operator, held, operand);
}

function runObject(
  entries: readonly { readonly key: JqNode; readonly value: JqNode }[],
  built: Readonly<Record<string, unknown>>,
  place: { readonly item: Item; readonly scope: Scope; readonly emit: Emit },
): void {
  const [entry, ...rest] = entries;
  if (!entry) return place.emit(fresh(built));
  each(entry.key, place.item, place.scope, (key) => {
    if (typeof key !== 'string') fail(`object key must be a string: ${describe(key)}`);
    each(entry.value, place.item, place.scope, (value) => runObject(rest, { ...built, [key]: value }, place));
  });
}

function runReduce(node: JqNode & { type: 'reduce' }, item: Item, scope: Scope, emit: Emit): void {
  each(node.start, item, scope, (start) => {
    let state = start;
    each(node.source, item, scope, (value) =>
      bind(node.pattern, value, { item, scope }, (inner) => {
        state = collect(node.update, fresh(state), inner).at(-1) ?? null;
      }),
    );
    emit(fresh(state));
  });
}

function runForeach(node: JqNode & { type: 'foreach' }, item: Item, scope: Scope, emit: Emit): void {
  each(node.start, item, scope, (start) => {
    let state = start;
    each(node.source, item, scope, (value) =>
      bind(node.pattern, value, { item, scope }, (inner) =>
        each(node.update, fresh(state), inner, (next) => {
          state = next;
          if (node.extract) run(node.extract, fresh(next), inner, emit);
          else emit(fresh(next));
        }),
      ),
    );
  });
}

function bind(
  pattern: JqPattern,
  value: unknown,
  place: { readonly item: Item; readonly scope: Scope },
  then: (scope: Scope) => void,
): void {
  const { item, scope } = place;
  switch (pattern.type) {
    case 'name':
      return then({ parent: scope, world: scope.world, variables: new Map([[pattern.name, value]]) });
    case 'array': {
      const next = (at: number, inner: Scope): void => {
        const sub = pattern.items[at];
        if (!sub) return then(inner);
        bind(sub, member(value, at), { item, scope: inner }, (deeper) => next(at + 1, deeper));
      };
      return next(0, scope);
    }
    case 'object': {
      const next = (at: number, inner: Scope): void => {
        const sub = pattern.entries[at];
        if (!sub) return then(inner);
        each(sub.key, item, inner, (key) =>
          bind(sub.pattern, member(value, key), { item, scope: inner }, (deeper) => next(at + 1, deeper)),
        );
      };
      return next(0, scope);
    }
  }
}

function find<T>(scope: Scope, of: (scope: Scope) => T | undefined): T | undefined {
  for (let at: Scope | undefined = scope; at; at = at.parent) {
    const found = of(at);
    if (found !== undefined) return found;
  }
  return undefined;
}

function variable(name: string, scope: Scope): unknown {
  const holder = find(scope, (one) => (one.variables?.has(name) ? one : undefined));
  if (!holder) fail(`variable not defined: ${name}`);
  return holder.variables?.get(name) ?? null;
}

function defining(node: JqNode & { type: 'define' }, parent: Scope): Scope {
  const definition: Definition = { parameters: node.parameters, body: node.body, scope: parent };
  const scope: Scope = {
    parent,
    world: parent.world,
    functions: new Map([[`${node.name}/${node.parameters.length}`, definition]]),
  };
  definition.scope = scope;
  return scope;
}

function runLabel(node: JqNode & { type: 'label' }, item: Item, scope: Scope, emit: Emit): void {
  const label = {};
  try {
    run(node.body, item, { parent: scope, world: scope.world, labels: new Map([[node.name, label]]) }, emit);
  } catch (error) {
    if (!(error instanceof Break) || error.label !== label) throw error;
  }
}

function runCall(node: JqNode & { type: 'call' }, item: Item, scope: Scope, emit: Emit): void {
  const { name, args } = node;
  const key = `${name}/${args.length}`;
  if (args.length === 0) {
    const closure = find(scope, (one) => one.closures?.get(name));
    if (closure) return run(closure.body, item, closure.scope, emit);
  }
  const definition = find(scope, (one) => one.functions?.get(key));
  if (definition) return callDefined(definition, args, { item, scope, emit });
  if (key === 'path/1') {
    for (const path of pathsOf(args[0] ?? fail('path'), item, scope)) emit(fresh(path));
    return;
  }
  if (key === 'recurse/0') return recurse(item, emit);
  if (key === 'getpath/1') {
    return each(args[0] ?? fail('getpath'), item, scope, (path) => {
      if (!Array.isArray(path)) fail(`getpath cannot be applied to: ${describe(path)}`);
      emit({ value: getPath(item.value, path), path: item.path && [...item.path, ...(path as unknown[])] });
    });
  }
  if (key === 'empty/0') return;
  const native = jqNatives[key];
  const generator = jqGenerators[key];
  if (!native && !generator) fail(`function not defined: ${key}`);
  cartesian(args, { item, scope }, [], (values) => {
    if (native) emit(fresh(native(item.value, values, scope.world)));
    else if (generator) for (const value of generator(item.value, values)) emit(fresh(value));
  });
}

function cartesian(
  args: readonly JqNode[],
  place: { readonly item: Item; readonly scope: Scope },
  values: readonly unknown[],
  then: (values: readonly unknown[]) => void,
): void {
  const [first, ...rest] = args;
  if (!first) return then(values);
  each(first, place.item, place.scope, (value) => cartesian(rest, place, [...values, value], then));
}

/** A parameter `f` is a filter of the caller; a parameter `$x` is the value of one. */
function callDefined(
  { parameters, body, scope: home }: Definition,
  args: readonly JqNode[],
  { item, scope, emit }: { readonly item: Item; readonly scope: Scope; readonly emit: Emit },
): void {
  const closures = new Map<string, { readonly body: JqNode; readonly scope: Scope }>();
  const byValue: (readonly [string, JqNode])[] = [];
  for (const [at, parameter] of parameters.entries()) {
    const arg = args[at];
    if (!arg) continue;
    if (parameter.startsWith('$')) byValue.push([parameter, arg]);
    else closures.set(parameter, { body: arg, scope });
  }
  const inner: Scope = { parent: home, world: home.world, closures };
  if (byValue.length === 0) return run(body, item, inner, emit);
  cartesian(
    byValue.map(([, arg]) => arg),
    { item, scope },
    [],
    (values) => {
      const variables = new Map(byValue.map(([name], at) => [name, values[at]]));
      run(body, item, { ...inner, variables }, emit);
    },
  );
}
