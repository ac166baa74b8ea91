import { parseYaml } from '../../yaml/parse-yaml.ts';
import { toYaml } from '../../yaml/to-yaml.ts';
import { templateFunction as define, type FunctionMap } from '../template-function.ts';
import { goTypeOf, isNone, isTrue } from '../template-value.ts';
import { jsonOf, toFloat, toInteger, toList } from './casts.ts';

const toJson = (value: unknown): string => escapeAngles(JSON.stringify(jsonOf(value)));
const fromJson = (text: string): unknown => JSON.parse(text) as unknown;

/** Sprig's functions of any value: defaults, conversions, arithmetic; and Helm's `toYaml` and its kin. */
export const valueFunctions: FunctionMap = {
  default: define(
    ['any'],
    (fallback: unknown, ...given: unknown[]) => (isTrue(given[0]) ? given[0] : fallback),
    'any',
  ),
  empty: define(['any'], (value: unknown) => !isTrue(value)),
  coalesce: define([], (...values: unknown[]) => values.find(isTrue), 'any'),
  all: define([], (...values: unknown[]) => values.every(isTrue), 'any'),
  any: define([], (...values: unknown[]) => values.some(isTrue), 'any'),
  ternary: define(['any', 'any', 'bool'], (yes: unknown, no: unknown, condition: boolean) =>
    condition ? yes : no,
  ),
  fail: define(['string'], (message: string) => {
    throw new Error(message);
  }),
  required: define(['string', 'any'], (message: string, value: unknown) => {
    if (isNone(value) || value === '') throw new Error(message);
    return value;
  }),
  typeOf: define(['any'], (value: unknown) => goTypeOf(value)),
  typeIs: define(['string', 'any'], (name: string, value: unknown) => goTypeOf(value) === name),
  typeIsLike: define(['string', 'any'], (name: string, value: unknown) =>
    [name, `*${name}`].includes(goTypeOf(value)),
  ),
  kindOf: define(['any'], kindOf),
  kindIs: define(['string', 'any'], (name: string, value: unknown) => kindOf(value) === name),
  deepEqual: define(['any', 'any'], (a: unknown, b: unknown) => toJson(a) === toJson(b)),
  toJson: define(['any'], toJson),
  mustToJson: define(['any'], toJson),
  toRawJson: define(['any'], (value: unknown) => JSON.stringify(jsonOf(value))),
  toPrettyJson: define(['any'], (value: unknown) => escapeAngles(JSON.stringify(jsonOf(value), null, 2))),
  fromJson: define(['string'], fromJson),
  mustFromJson: define(['string'], fromJson),
  toYaml: define(['any'], (value: unknown) => toYaml(jsonOf(value)).replace(/\n$/, '')),
  fromYaml: define(['string'], (text: string) => parseYaml(text).value),
  int: define(['any'], toInteger),
  int64: define(['any'], toInteger),
  atoi: define(['string'], (text: string) => toInteger(text)),
  toDecimal: define(['any'], (value: unknown) => BigInt(Number.parseInt(String(value), 8) || 0)),
  float64: define(['any'], toFloat),
  add: define([], (...values: unknown[]) => values.map(toInteger).reduce((a, b) => a + b, 0n), 'any'),
  add1: define(['any'], (value: unknown) => toInteger(value) + 1n),
  sub: define(['any', 'any'], (a: unknown, b: unknown) => toInteger(a) - toInteger(b)),
  mul: define(['any'], (...values: unknown[]) => values.map(toInteger).reduce((a, b) => a * b, 1n), 'any'),
  div: define(['any', 'any'], (a: unknown, b: unknown) => toInteger(a) / divisor(b)),
  mod: define(['any', 'any'], (a: unknown, b: unknown) => toInteger(a) % divisor(b)),
  max: define(
    ['any'],
    (...values: unknown[]) => values.map(toInteger).reduce((a, b) => (b > a ? b : a)),
    'any',
  ),
  biggest: define(
    ['any'],
    (...values: unknown[]) => values.map(toInteger).reduce((a, b) => (b > a ? b : a)),
    'any',
  ),
  min: define(
    ['any'],
    (...values: unknown[]) => values.map(toInteger).reduce((a, b) => (b < a ? b : a)),
    'any',
  ),
  addf: define([], (...values: unknown[]) => values.map(toFloat).reduce((a, b) => a + b, 0), 'any'),
  add1f: define(['any'], (value: unknown) => toFloat(value) + 1),
  subf: define(
    ['any'],
    (first: unknown, ...values: unknown[]) => values.map(toFloat).reduce((a, b) => a - b, toFloat(first)),
    'any',
  ),
  mulf: define(
    ['any'],
    (first: unknown, ...values: unknown[]) => values.map(toFloat).reduce((a, b) => a * b, toFloat(first)),
    'any',
  ),
  divf: define(
    ['any'],
    (first: unknown, ...values: unknown[]) => values.map(toFloat).reduce((a, b) => a / b, toFloat(first)),
    'any',
  ),
  maxf: define(['any'], (...values: unknown[]) => Math.max(...values.map(toFloat)), 'any'),
  minf: define(['any'], (...values: unknown[]) => Math.min(...values.map(toFloat)), 'any'),
  floor: define(['any'], (value: unknown) => Math.floor(toFloat(value))),
  ceil: define(['any'], (value: unknown) => Math.ceil(toFloat(value))),
  round: define(['any', 'int'], (value: unknown, places: bigint) => {
    const scale = 10 ** Number(places);
    return Math.round(toFloat(value) * scale) / scale;
  }),
  sum: define(['any'], (value: unknown) =>
    toList(value, 'sum')
      .map(toInteger)
      .reduce((a, b) => a + b, 0n),
  ),
};

function divisor(value: unknown): bigint {
  const number = toInteger(value);
  if (number === 0n) throw new Error('runtime error: integer divide by zero');
  return number;
}

function kindOf(value: unknown): string {
  const type = goTypeOf(value);
  if (type.startsWith('map')) return 'map';
  if (type.startsWith('[]')) return 'slice';
  if (type === '<nil>') return 'invalid';
  return type.includes('.') ? 'struct' : type;
}

/** As Go's encoder, which keeps JSON fit for HTML. */
function escapeAngles(json: string): string {
  return json.replaceAll('<', '\\u003c').replaceAll('>', '\\u003e').replaceAll('&', '\\u0026');
}
