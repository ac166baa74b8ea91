import { evaluationError } from './evaluation-error.ts';
import { durationText } from './library/conversions.ts';
import { formatTimestamp } from './timestamp-text.ts';
import { items, keyOf, typeNameOf } from './value.ts';
import type { CelStruct, CelValue } from './value.ts';

/** A value as decoded JSON: integers beyond 2^53 stay bigint, bytes become base64. Throws `CelEvaluationError` for what has no JSON. */
export function valueToJson(value: CelValue): unknown {
  if (
    value === null ||
    typeof value === 'boolean' ||
    typeof value === 'number' ||
    typeof value === 'string'
  ) {
    return value;
  }
  if (typeof value === 'bigint') return plainNumber(value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  switch (value.kind) {
    case 'uint':
      return plainNumber(value.value);
    case 'timestamp':
      return formatTimestamp(value);
    case 'duration':
      return durationText(value.nanos);
    case 'list':
      return items(value).map(valueToJson);
    case 'map':
      return Object.fromEntries(
        value.keys().map((key) => [keyOf(key).slice(1), valueToJson(value.get(key) ?? null)]),
      );
    case 'struct':
      return structToJson(value);
    case 'optional':
      return value.value === undefined ? null : valueToJson(value.value);
    default:
      return evaluationError(`unsupported conversion of ${typeNameOf(value)} to JSON`);
  }
}

function plainNumber(value: bigint): number | bigint {
  return BigInt.asIntN(53, value) === value ? Number(value) : value;
}

function structToJson(value: CelStruct): Record<string, unknown> {
  return Object.fromEntries(
    value.fields().map((field) => {
      const member = value.get(field) ?? null;
      checkNestedName(value.typeName, field, member);
      return [field, valueToJson(member)];
    }),
  );
}

/** `Object.spec{…}` belongs into the field `spec` of `Object{…}` and nowhere else. */
function checkNestedName(typeName: string, field: string, member: CelValue): void {
  const inner =
    typeof member === 'object' && member !== null && 'kind' in member && member.kind === 'list'
      ? items(member)
      : [member];
  for (const item of inner) {
    const isStruct = typeof item === 'object' && item !== null && 'kind' in item && item.kind === 'struct';
    if (!isStruct || !typeName.startsWith('Object') || !item.typeName.startsWith('Object')) continue;
    const expected = `${typeName}.${field}`;
    if (item.typeName !== expected) {
      evaluationError(
        `unexpected type name "${item.typeName}", expected "${expected}", which matches field name path from root Object type`,
      );
    }
  }
}
