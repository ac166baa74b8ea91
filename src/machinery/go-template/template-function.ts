import { goTypeOf, isNone, isTemplateMap } from './template-value.ts';

/** What Go would declare a parameter as; `any` takes everything, also nothing. */
export type ParameterType = 'any' | 'string' | 'int' | 'float' | 'bool' | 'list' | 'map' | 'time';

/** A function that templates call by name. Throws an `Error` whose message follows `error calling NAME:`. */
export interface TemplateFunction {
  readonly parameters: readonly ParameterType[];
  /** The type of further arguments. */
  readonly variadic?: ParameterType;
  readonly call: (...args: readonly never[]) => unknown;
}

export type FunctionMap = Readonly<Record<string, TemplateFunction>>;

/** A function of so many parameters. Arguments have been checked when `call` gets them. */
export function templateFunction(
  parameters: readonly ParameterType[],
  call: TemplateFunction['call'],
  variadic?: ParameterType,
): TemplateFunction {
  return { parameters, call, ...(variadic && { variadic }) };
}

/** Why these arguments cannot be given to the function, in Go's words; undefined when they can. */
export function argumentProblem(
  name: string,
  { parameters, variadic }: TemplateFunction,
  args: readonly unknown[],
): string | undefined {
  if (variadic === undefined && args.length !== parameters.length)
    return `wrong number of args for ${name}: want ${parameters.length} got ${args.length}`;
  if (args.length < parameters.length)
    return `wrong number of args for ${name}: want at least ${parameters.length} got ${args.length}`;
  for (const [index, value] of args.entries()) {
    const type = parameters[index] ?? variadic ?? 'any';
    const problem = typeProblem(type, value);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

const goNames: Readonly<Record<ParameterType, string>> = {
  any: 'interface {}',
  string: 'string',
  int: 'int',
  float: 'float64',
  bool: 'bool',
  list: '[]interface {}',
  map: 'map[string]interface {}',
  time: 'time.Time',
};

function typeProblem(type: ParameterType, value: unknown): string | undefined {
  if (type === 'any' || accepts(type, value)) return undefined;
  if (isNone(value)) return `invalid value; expected ${goNames[type]}`;
  return `wrong type for value; expected ${goNames[type]}; got ${goTypeOf(value)}`;
}

function accepts(type: ParameterType, value: unknown): boolean {
  switch (type) {
    case 'any':
      return true;
    case 'string':
      return typeof value === 'string';
    case 'int':
      return typeof value === 'bigint';
    case 'float':
      return typeof value === 'number';
    case 'bool':
      return typeof value === 'boolean';
    case 'list':
      return Array.isArray(value);
    case 'map':
      return isTemplateMap(value);
    default:
      return value instanceof Date;
  }
}

/** Calls with arguments that {@link argumentProblem} found nothing wrong with. */
export function callFunction({ call }: TemplateFunction, args: readonly unknown[]): unknown {
  return Reflect.apply(call, undefined, args) as unknown;
}
