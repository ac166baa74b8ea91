import { type FieldError, invalid, required, tooLong } from '../../machinery/field-error.ts';
import {
  BOOL,
  DYN,
  STRING,
  formatType,
  isDyn,
  mapOf,
  opaqueType,
  structType,
} from '../../machinery/cel/cel-type.ts';
import type { CelType } from '../../machinery/cel/cel-type.ts';
import type { CheckEnvironment } from '../../machinery/cel/check.ts';
import { CelCompileError } from '../../machinery/cel/compile-error.ts';
import { celBase, celEnvironment } from '../../machinery/cel/environment.ts';
import { compile } from '../../machinery/cel/program.ts';
import { validateItems } from './collections.ts';
import type { DeviceSelector } from './v1.gen.ts';

const MAX_SELECTORS = 32;
const MAX_EXPRESSION = 10 * 1024;
const deviceType = 'kubernetes.DRADevice';

const fields: Readonly<Record<string, CelType>> = {
  driver: STRING,
  attributes: mapOf(STRING, mapOf(STRING, DYN)),
  capacity: mapOf(STRING, mapOf(STRING, opaqueType('kubernetes.Quantity'))),
  allowMultipleAllocations: BOOL,
};

/** What expressions about a device see; made anew, since few clusters have devices. */
export function deviceEnvironment(): CheckEnvironment {
  return celEnvironment(
    celBase(),
    { device: structType(deviceType) },
    {
      hasType: (name) => name === deviceType,
      fieldType: (type, field) => (type === deviceType ? fields[field] : undefined),
    },
  );
}

/** Everything wrong with the expressions that devices must meet. */
export function validateSelectors(
  selectors: readonly DeviceSelector[] | undefined,
  field: string,
): FieldError[] {
  return validateItems(selectors, { field, max: MAX_SELECTORS }, ({ cel }, path) =>
    cel ? validateExpression(cel.expression, `${path}.cel.expression`) : [required(`${path}.cel`)],
  );
}

function validateExpression(expression: string, field: string): FieldError[] {
  if (Buffer.byteLength(expression) > MAX_EXPRESSION) return [tooLong(field, MAX_EXPRESSION)];
  try {
    const { type } = compile(expression, deviceEnvironment());
    if (type.kind === 'bool' || isDyn(type)) return [];
    const detail = `must evaluate to bool or the unknown type, not ${formatType(type)}`;
    return [invalid(field, expression, detail)];
  } catch (error) {
    if (!(error instanceof CelCompileError)) throw error;
    return [invalid(field, expression, `compilation failed: ${error.message}`)];
  }
}
