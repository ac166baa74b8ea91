import { invalid, type FieldError } from '../field-error.ts';

interface NumberRules {
  readonly types: readonly string[];
  readonly format?: string;
  readonly multipleOf?: number;
  readonly maximum?: number;
  readonly exclusiveMaximum?: boolean;
  readonly minimum?: number;
  readonly exclusiveMinimum?: boolean;
}

interface NumberPlace {
  readonly path: string;
  readonly field: string;
  /** The field of the whole, which errors of range are about. */
  readonly root: string;
}

const ranges: Readonly<Record<string, readonly [number, number]>> = {
  int32: [-2_147_483_648, 2_147_483_647],
  uint32: [0, 4_294_967_295],
  int64: [-(2 ** 63), 2 ** 63],
  uint64: [0, 2 ** 64],
  float: [-3.402_823_466_385_288_6e38, 3.402_823_466_385_288_6e38],
};

/** What a schema's limits and format find wrong with a number. */
export function numberErrors(value: number | bigint, rules: NumberRules, place: NumberPlace): FieldError[] {
  const { path, field, root } = place;
  const name = path.replace(/^\./, '');
  const errors: FieldError[] = [];
  const number = Number(value);
  const { types, format = '', multipleOf, maximum, minimum } = rules;
  const range = ranges[format];
  if (range && (number < range[0] || number > range[1])) {
    const detail = `Checked value must be of type ${types.join(',')} with format ${format} in ${name}`;
    errors.push(invalid(root, '', detail));
  }
  const wrong = (detail: string): void => {
    errors.push(invalid(field, value, `${name} in body should be ${detail}`));
  };
  if (multipleOf && !isMultiple(number, multipleOf)) wrong(`a multiple of ${goNumber(multipleOf)}`);
  if (maximum !== undefined && (rules.exclusiveMaximum ? number >= maximum : number > maximum)) {
    wrong(`less than ${rules.exclusiveMaximum ? '' : 'or equal to '}${goNumber(maximum)}`);
  }
  if (minimum !== undefined && (rules.exclusiveMinimum ? number <= minimum : number < minimum)) {
    wrong(`greater than ${rules.exclusiveMinimum ? '' : 'or equal to '}${goNumber(minimum)}`);
  }
  return errors;
}

function isMultiple(value: number, factor: number): boolean {
  if (factor < 0) return false;
  const quotient = factor < 1 ? (1 / factor) * value : value / factor;
  return Number.isInteger(quotient);
}

/** A number as Go's `%v` prints a float. */
function goNumber(value: number): string {
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e21)) {
    return value.toExponential().replace(/e([+-])(\d)$/, 'e$10$2');
  }
  return String(value);
}
