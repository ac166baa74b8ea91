import type { CelIssue } from './compile-error.ts';
import type { ExpressionFactory } from './expression-factory.ts';
import type { Expression, IdentExpression } from './expression.ts';
import { SyntaxStop } from './syntax.ts';

/** The variable that collects a comprehension's result. */
export const ACCUMULATOR = '@result';

/** A call that may be a macro. */
export interface MacroCall {
  readonly make: ExpressionFactory;
  readonly offset: number;
  readonly name: string;
  readonly target?: Expression;
  readonly args: readonly Expression[];
}

interface MemberCall extends MacroCall {
  readonly target: Expression;
  readonly issues: CelIssue[];
}

type Macro = (call: MemberCall) => Expression;

/** The call's expansion; undefined when it is an ordinary call. Throws `SyntaxStop` for one used wrongly. */
export function expandMacro(call: MacroCall, issues: CelIssue[]): Expression | undefined {
  if (call.target === undefined) {
    const [argument] = call.args;
    return call.name === 'has' && call.args.length === 1 && argument
      ? expandHas(call, argument, issues)
      : undefined;
  }
  const key = `${call.name}/${call.args.length}`;
  const macro = Object.hasOwn(MEMBER_MACROS, key) ? MEMBER_MACROS[key] : undefined;
  return macro?.({ ...call, target: call.target, issues });
}

function stop(issues: CelIssue[], offset: number, message: string): never {
  issues.push({ offset, message });
  throw new SyntaxStop(message);
}

function expandHas({ make, offset }: MacroCall, argument: Expression, issues: CelIssue[]): Expression {
  if (argument.kind === 'select' && !argument.testOnly) {
    return make.testOnly(offset, argument.operand, argument.field);
  }
  return stop(issues, argument.offset, 'invalid argument to has() macro');
}

/** The name of a macro's variable. */
function variable(
  { args, issues }: MemberCall,
  index: number,
  message = 'argument must be a simple name',
): string {
  const argument = args[index];
  if (argument?.kind !== 'ident' || argument.name.startsWith('.'))
    return stop(issues, argument?.offset ?? 0, message);
  if (argument.name === ACCUMULATOR || argument.name === '__result__') {
    return stop(issues, argument.offset, 'iteration variable overwrites accumulator variable');
  }
  return argument.name;
}

function lastArgument({ args }: MemberCall): Expression {
  const last = args.at(-1);
  if (last === undefined) throw new RangeError('a macro has at least one argument');
  return last;
}

function accumulator({ make, offset }: MemberCall): IdentExpression {
  return make.ident(offset, ACCUMULATOR);
}

interface Fold {
  readonly names: readonly string[];
  readonly init: Expression;
  readonly condition: Expression;
  readonly step: Expression;
  readonly result?: Expression;
}

function fold(call: MemberCall, { names, init, condition, step, result }: Fold): Expression {
  const [name = '', second] = names;
  return call.make.comprehension(call.offset, {
    variable: name,
    ...(second === undefined ? {} : { variable2: second }),
    range: call.target,
    accumulator: ACCUMULATOR,
    init,
    condition,
    step,
    result: result ?? accumulator(call),
  });
}

/** The names of one or two variables; two must differ. */
function variables(call: MemberCall, count: 1 | 2): string[] {
  if (count === 1) return [variable(call, 0)];
  const names = [variable(call, 0), variable(call, 1)];
  if (names[0] === names[1]) {
    stop(call.issues, call.args[1]?.offset ?? 0, `duplicate variable name: ${names[1]}`);
  }
  return names;
}

function expandAll(count: 1 | 2): Macro {
  return (call) => {
    const { make, offset } = call;
    return fold(call, {
      names: variables(call, count),
      init: make.literal(offset, true),
      condition: make.call(offset, '@not_strictly_false', [accumulator(call)]),
      step: make.call(offset, '_&&_', [accumulator(call), lastArgument(call)]),
    });
  };
}

function expandExists(count: 1 | 2): Macro {
  return (call) => {
    const { make, offset } = call;
    const negated = make.call(offset, '!_', [accumulator(call)]);
    return fold(call, {
      names: variables(call, count),
      init: make.literal(offset, false),
      condition: make.call(offset, '@not_strictly_false', [negated]),
      step: make.call(offset, '_||_', [accumulator(call), lastArgument(call)]),
    });
  };
}

function expandExistsOne(count: 1 | 2): Macro {
  return (call) => {
    const { make, offset } = call;
    const added = make.call(offset, '_+_', [accumulator(call), make.literal(offset, 1n)]);
    return fold(call, {
      names: variables(call, count),
      init: make.literal(offset, 0n),
      condition: make.literal(offset, true),
      step: make.call(offset, '_?_:_', [lastArgument(call), added, accumulator(call)]),
      result: make.call(offset, '_==_', [accumulator(call), make.literal(offset, 1n)]),
    });
  };
}

/** `filter` when `transform` is absent. */
function collect(
  call: MemberCall,
  names: readonly string[],
  filter?: Expression,
  transform?: Expression,
): Expression {
  const { make, offset } = call;
  const item = transform ?? make.ident(offset, names[0] ?? '');
  const added = make.call(offset, '_+_', [accumulator(call), make.list(offset, [item])]);
  return fold(call, {
    names,
    init: make.list(offset, []),
    condition: make.literal(offset, true),
    step: filter ? make.call(offset, '_?_:_', [filter, added, accumulator(call)]) : added,
  });
}

function expandMap(count: 1 | 2): Macro {
  return (call) => {
    const names = variables(call, count);
    const filter = call.args.length > count + 1 ? call.args[count] : undefined;
    return collect(call, names, filter, lastArgument(call));
  };
}

function expandFilter(call: MemberCall): Expression {
  return collect(call, variables(call, 1), lastArgument(call));
}

function expandTransformMap(call: MemberCall): Expression {
  const { make, offset, args } = call;
  const names = variables(call, 2);
  const inserted = make.call(offset, 'cel.@mapInsert', [
    accumulator(call),
    make.ident(offset, names[0] ?? ''),
    lastArgument(call),
  ]);
  return insertInto(call, { names, inserted, filter: args.length === 4 ? args[2] : undefined });
}

function expandTransformMapEntry(call: MemberCall): Expression {
  const { make, offset, args } = call;
  const names = variables(call, 2);
  const inserted = make.call(offset, 'cel.@mapInsert', [accumulator(call), lastArgument(call)]);
  return insertInto(call, { names, inserted, filter: args.length === 4 ? args[2] : undefined });
}

function insertInto(
  call: MemberCall,
  {
    names,
    inserted,
    filter,
  }: {
    readonly names: readonly string[];
    readonly inserted: Expression;
    readonly filter: Expression | undefined;
  },
): Expression {
  const { make, offset } = call;
  return fold(call, {
    names,
    init: make.map(offset, []),
    condition: make.literal(offset, true),
    step: filter ? make.call(offset, '_?_:_', [filter, inserted, accumulator(call)]) : inserted,
  });
}

/** A comprehension over nothing: `result` with `name` bound to `value`. */
function bind(call: MemberCall, name: string, value: Expression, result: Expression): Expression {
  const { make, offset } = call;
  return make.comprehension(offset, {
    variable: '#unused',
    range: make.list(offset, []),
    accumulator: name,
    init: value,
    condition: make.literal(offset, false),
    step: make.ident(offset, name),
    result,
  });
}

function expandOptional(wraps: 'wrapped' | 'flat'): Macro {
  return (call) => {
    const { make, offset, target } = call;
    const macro = wraps === 'wrapped' ? 'optMap' : 'optFlatMap';
    const name = variable(call, 0, `${macro}() variable name must be a simple identifier`);
    const value = make.memberCall(offset, { target, name: 'value', args: [] });
    const bound = bind(call, name, value, lastArgument(call));
    return make.call(offset, '_?_:_', [
      make.memberCall(offset, { target, name: 'hasValue', args: [] }),
      wraps === 'wrapped' ? make.call(offset, 'optional.of', [bound]) : bound,
      make.call(offset, 'optional.none', []),
    ]);
  };
}

const SORTABLE = new Set(['list', 'select', 'ident', 'comprehension', 'call']);

function expandSortBy(call: MemberCall): Expression {
  const { make, offset, target, issues } = call;
  if (!SORTABLE.has(target.kind)) {
    const message =
      'sortBy can only be applied to a list, identifier, comprehension, call or select expression';
    stop(issues, target.offset, message);
  }
  const input = '@__sortBy_input__';
  const keys = expandMap(1)({ ...call, target: make.ident(offset, input) });
  const sorted = make.memberCall(offset, {
    target: make.ident(offset, input),
    name: '@sortByAssociatedKeys',
    args: [keys],
  });
  return bind(call, input, target, sorted);
}

const MEMBER_MACROS: Readonly<Record<string, Macro>> = {
  'all/2': expandAll(1),
  'all/3': expandAll(2),
  'exists/2': expandExists(1),
  'exists/3': expandExists(2),
  'exists_one/2': expandExistsOne(1),
  'existsOne/2': expandExistsOne(1),
  'existsOne/3': expandExistsOne(2),
  'map/2': expandMap(1),
  'map/3': expandMap(1),
  'filter/2': expandFilter,
  'transformList/3': expandMap(2),
  'transformList/4': expandMap(2),
  'transformMap/3': expandTransformMap,
  'transformMap/4': expandTransformMap,
  'transformMapEntry/3': expandTransformMapEntry,
  'transformMapEntry/4': expandTransformMapEntry,
  'optMap/2': expandOptional('wrapped'),
  'optFlatMap/2': expandOptional('flat'),
  'sortBy/2': expandSortBy,
};
