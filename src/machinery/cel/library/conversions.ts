import { parseDuration } from '../../duration.ts';
import { goQuote } from '../../go-quote.ts';
import { evaluationError } from '../evaluation-error.ts';
import type { FunctionLibrary } from '../function-table.ts';
import { formatDouble } from '../format-double.ts';
import { formatTimestamp, parseTimestamp } from '../timestamp-text.ts';
import { asBytes, asDouble, asDuration, asInt, asText, asTimestamp, asUint } from '../value-guards.ts';
import { typeNameOf, uint } from '../value.ts';
import type { CelValue } from '../value.ts';

const SECOND = 1_000_000_000n;
const MIN_SECONDS = -62_135_596_800n;
const MAX_SECONDS = 253_402_300_799n;

/** Conversions between types, and `type()`. */
export function conversions(): FunctionLibrary {
  return [
    { id: 'to_dyn', signature: 'dyn(A) -> dyn', run: identity },
    {
      id: 'type',
      signature: 'type(A) -> type(A)',
      run: (value = null) => ({ kind: 'type', name: typeNameOf(value) }),
    },
    { id: 'bool_to_bool', signature: 'bool(bool) -> bool', run: identity },
    { id: 'string_to_bool', signature: 'bool(string) -> bool', run: (value) => textToBool(asText(value)) },
    { id: 'bytes_to_bytes', signature: 'bytes(bytes) -> bytes', run: identity },
    {
      id: 'string_to_bytes',
      signature: 'bytes(string) -> bytes',
      run: (value) => new TextEncoder().encode(asText(value)),
    },
    { id: 'int64_to_int64', signature: 'int(int) -> int', run: identity },
    { id: 'double_to_int64', signature: 'int(double) -> int', run: (value) => doubleToInt(asDouble(value)) },
    { id: 'string_to_int64', signature: 'int(string) -> int', run: (value) => textToInt(asText(value)) },
    { id: 'uint64_to_int64', signature: 'int(uint) -> int', run: (value) => inInt(asUint(value).value) },
    {
      id: 'timestamp_to_int64',
      signature: 'int(timestamp) -> int',
      run: (value) => floorSeconds(asTimestamp(value).nanos),
    },
    { id: 'duration_to_int64', signature: 'int(duration) -> int', run: (value) => asDuration(value).nanos },
    { id: 'uint64_to_uint64', signature: 'uint(uint) -> uint', run: identity },
    { id: 'int64_to_uint64', signature: 'uint(int) -> uint', run: (value) => inUint(asInt(value)) },
    {
      id: 'double_to_uint64',
      signature: 'uint(double) -> uint',
      run: (value) => doubleToUint(asDouble(value)),
    },
    { id: 'string_to_uint64', signature: 'uint(string) -> uint', run: (value) => textToUint(asText(value)) },
    { id: 'double_to_double', signature: 'double(double) -> double', run: identity },
    { id: 'int64_to_double', signature: 'double(int) -> double', run: (value) => Number(asInt(value)) },
    {
      id: 'uint64_to_double',
      signature: 'double(uint) -> double',
      run: (value) => Number(asUint(value).value),
    },
    {
      id: 'string_to_double',
      signature: 'double(string) -> double',
      run: (value) => textToDouble(asText(value)),
    },
    ...texts(),
    { id: 'timestamp_to_timestamp', signature: 'timestamp(timestamp) -> timestamp', run: identity },
    {
      id: 'string_to_timestamp',
      signature: 'timestamp(string) -> timestamp',
      run: (value) => textToTimestamp(asText(value)),
    },
    {
      id: 'int64_to_timestamp',
      signature: 'timestamp(int) -> timestamp',
      run: (value) => secondsToTimestamp(asInt(value)),
    },
    { id: 'duration_to_duration', signature: 'duration(duration) -> duration', run: identity },
    {
      id: 'string_to_duration',
      signature: 'duration(string) -> duration',
      run: (value) => textToDuration(asText(value)),
    },
    {
      id: 'int64_to_duration',
      signature: 'duration(int) -> duration',
      run: (value) => ({ kind: 'duration', nanos: asInt(value) }),
    },
  ];
}

function texts(): FunctionLibrary {
  return [
    { id: 'string_to_string', signature: 'string(string) -> string', run: identity },
    { id: 'bool_to_string', signature: 'string(bool) -> string', run: String },
    { id: 'int64_to_string', signature: 'string(int) -> string', run: String },
    {
      id: 'uint64_to_string',
      signature: 'string(uint) -> string',
      run: (value) => String(asUint(value).value),
    },
    {
      id: 'double_to_string',
      signature: 'string(double) -> string',
      run: (value) => formatDouble(asDouble(value)),
    },
    {
      id: 'bytes_to_string',
      signature: 'string(bytes) -> string',
      run: (value) => bytesToText(asBytes(value)),
    },
    {
      id: 'timestamp_to_string',
      signature: 'string(timestamp) -> string',
      run: (value) => formatTimestamp(asTimestamp(value)),
    },
    {
      id: 'duration_to_string',
      signature: 'string(duration) -> string',
      run: (value) => durationText(asDuration(value).nanos),
    },
  ];
}

function identity(value: CelValue = null): CelValue {
  return value;
}

/** A duration as `string()` prints it: seconds with as many decimals as needed. */
export function durationText(nanos: bigint): string {
  const sign = nanos < 0n ? '-' : '';
  const magnitude = nanos < 0n ? -nanos : nanos;
  const fraction = String(magnitude % SECOND)
    .padStart(9, '0')
    .replace(/0+$/, '');
  return `${sign}${magnitude / SECOND}${fraction === '' ? '' : `.${fraction}`}s`;
}

function textToBool(text: string): CelValue {
  if (['true', 'True', 'TRUE', 't', '1'].includes(text)) return true;
  if (['false', 'False', 'FALSE', 'f', '0'].includes(text)) return false;
  return evaluationError(`type conversion error from '${text}' to 'bool'`);
}

function bytesToText(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return evaluationError('invalid UTF-8 in bytes, cannot convert to string');
  }
}

function inInt(value: bigint): bigint {
  return BigInt.asIntN(64, value) === value ? value : evaluationError('integer overflow');
}

function inUint(value: bigint): CelValue {
  return BigInt.asUintN(64, value) === value ? uint(value) : evaluationError('unsigned integer overflow');
}

function doubleToInt(value: number): bigint {
  const isInside = value > -(2 ** 63) && value < 2 ** 63;
  return isInside ? BigInt(Math.trunc(value)) : evaluationError('integer overflow');
}

function doubleToUint(value: number): CelValue {
  const isInside = value >= 0 && value < 2 ** 64;
  return isInside ? uint(BigInt(Math.trunc(value))) : evaluationError('unsigned integer overflow');
}

function textToInt(text: string): bigint {
  if (!/^[+-]?[0-9]+$/.test(text)) return parseFailed('ParseInt', text, 'invalid syntax');
  const value = BigInt(text.replace(/^\+/, ''));
  return BigInt.asIntN(64, value) === value ? value : parseFailed('ParseInt', text, 'value out of range');
}

function textToUint(text: string): CelValue {
  if (!/^[0-9]+$/.test(text)) return parseFailed('ParseUint', text, 'invalid syntax');
  const value = BigInt(text);
  return BigInt.asUintN(64, value) === value
    ? uint(value)
    : parseFailed('ParseUint', text, 'value out of range');
}

function textToDouble(text: string): number {
  const special = /^[+-]?(?:inf|infinity)$/i.test(text);
  if (special) return text.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  if (/^nan$/i.test(text)) return Number.NaN;
  if (!/^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$/.test(text)) {
    return parseFailed('ParseFloat', text, 'invalid syntax');
  }
  const value = Number(text);
  return Number.isFinite(value) ? value : parseFailed('ParseFloat', text, 'value out of range');
}

function parseFailed(name: string, text: string, reason: string): never {
  return evaluationError(`strconv.${name}: parsing ${goQuote(text)}: ${reason}`);
}

function floorSeconds(nanos: bigint): bigint {
  const seconds = nanos / SECOND;
  return nanos % SECOND < 0n ? seconds - 1n : seconds;
}

function secondsToTimestamp(seconds: bigint): CelValue {
  if (seconds < MIN_SECONDS || seconds > MAX_SECONDS) return evaluationError('timestamp overflow');
  return { kind: 'timestamp', nanos: seconds * SECOND };
}

function textToTimestamp(text: string): CelValue {
  return parseTimestamp(text) ?? evaluationError(`invalid timestamp ${goQuote(text)}`);
}

function textToDuration(text: string): CelValue {
  try {
    return { kind: 'duration', nanos: parseDuration(text) };
  } catch (error) {
    if (error instanceof RangeError) return evaluationError(error.message);
    throw error;
  }
}
