import { goQuote } from '../../go-quote.ts';
import { evaluationError } from '../evaluation-error.ts';
import type { FunctionLibrary } from '../function-table.ts';
import { asOpaque, asText } from '../value-guards.ts';
import type { CelValue } from '../value.ts';

interface Version {
  readonly major: bigint;
  readonly minor: bigint;
  readonly patch: bigint;
  readonly prerelease: readonly (string | bigint)[];
}

type Parsed = { readonly version: Version } | { readonly error: string };

const TYPE = 'kubernetes.Semver';

/** Kubernetes' semantic versions, read as blang/semver reads them. */
export function semverFunctions(): FunctionLibrary {
  return [
    { id: 'string_to_semver', signature: `semver(string) -> ${TYPE}`, run: toSemver },
    { id: 'string_bool_to_semver', signature: `semver(string, bool) -> ${TYPE}`, run: toSemver },
    { id: 'is_semver_string', signature: 'isSemver(string) -> bool', run: isSemver },
    { id: 'is_semver_string_bool', signature: 'isSemver(string, bool) -> bool', run: isSemver },
    {
      id: 'semver_is_greater_than',
      signature: `<${TYPE}>.isGreaterThan(${TYPE}) -> bool`,
      run: (left, right) => compare(versionOf(left), versionOf(right)) > 0,
    },
    {
      id: 'semver_is_less_than',
      signature: `<${TYPE}>.isLessThan(${TYPE}) -> bool`,
      run: (left, right) => compare(versionOf(left), versionOf(right)) < 0,
    },
    {
      id: 'semver_compare_to',
      signature: `<${TYPE}>.compareTo(${TYPE}) -> int`,
      run: (left, right) => BigInt(compare(versionOf(left), versionOf(right))),
    },
    { id: 'semver_major', signature: `<${TYPE}>.major() -> int`, run: (value) => versionOf(value).major },
    { id: 'semver_minor', signature: `<${TYPE}>.minor() -> int`, run: (value) => versionOf(value).minor },
    { id: 'semver_patch', signature: `<${TYPE}>.patch() -> int`, run: (value) => versionOf(value).patch },
  ];
}

function versionOf(value: CelValue | undefined): Version {
  return asOpaque(value).payload as Version;
}

/** The semantic version that a text means, as expressions see it. */
export function celSemver(version: string): CelValue {
  return toSemver(version);
}

function toSemver(text?: CelValue, normalize?: CelValue): CelValue {
  const parsed = normalize === true ? parseNormalized(asText(text)) : parseSemver(asText(text));
  if ('error' in parsed) return evaluationError(parsed.error);
  const { version } = parsed;
  return {
    kind: 'opaque',
    typeName: TYPE,
    payload: version,
    equals: (other) => compare(version, other as Version) === 0,
  };
}

function isSemver(text?: CelValue, normalize?: CelValue): CelValue {
  const parsed = normalize === true ? parseNormalized(asText(text)) : parseSemver(asText(text));
  return 'version' in parsed;
}

/** Drops a `v`, leading zeros and fills up missing numbers. */
function parseNormalized(text: string): Parsed {
  const [major = '', minor, ...rest] = text.replace(/^v/, '').split('.');
  const parts = [
    major,
    ...(minor === undefined ? [] : [minor]),
    ...(rest.length > 0 ? [rest.join('.')] : []),
  ].map((part) => {
    if (part.length <= 1) return part;
    const stripped = part.replace(/^0+/, '');
    return /^[0-9]/.test(stripped) ? stripped : `0${stripped}`;
  });
  if (parts.length < 3 && /[+-]/.test(parts.at(-1) ?? '')) {
    return { error: 'short version cannot contain PreRelease/Build meta data' };
  }
  while (parts.length < 3) parts.push('0');
  return parseSemver(parts.join('.'));
}

function parseSemver(text: string): Parsed {
  if (text === '') return { error: 'Version string empty' };
  const [majorText = '', minorText, ...rest] = text.split('.');
  if (minorText === undefined || rest.length === 0) return { error: 'No Major.Minor.Patch elements found' };
  const numbers: bigint[] = [];
  const tail = rest.join('.');
  const [, patchText = '', suffix = ''] = /^([^+-]*)(.*)$/s.exec(tail) ?? [];
  for (const [label, part] of [
    ['Major', majorText],
    ['Minor', minorText],
    ['Patch', patchText],
  ] as const) {
    if (!/^[0-9]+$/.test(part)) {
      return {
        error:
          part === ''
            ? `strconv.ParseUint: parsing "": invalid syntax`
            : `Invalid character(s) found in ${label.toLowerCase()} number ${goQuote(part)}`,
      };
    }
    if (part.length > 1 && part.startsWith('0')) {
      return { error: `${label} number must not contain leading zeroes ${goQuote(part)}` };
    }
    const number = BigInt(part);
    if (number >= 1n << 64n)
      return { error: `strconv.ParseUint: parsing ${goQuote(part)}: value out of range` };
    numbers.push(number);
  }
  const [before, ...build] = suffix.split('+');
  const buildError =
    build.length > 0 ? identifierError(build.join('+'), 'Build meta data is empty') : undefined;
  const prerelease = before === undefined || before === '' ? [] : before.slice(1).split('.');
  const error = prerelease.map(prereleaseError).find((found) => found !== undefined) ?? buildError;
  if (error !== undefined) return { error };
  const [major = 0n, minor = 0n, patch = 0n] = numbers;
  const identifiers = prerelease.map((part) => (/^[0-9]+$/.test(part) ? BigInt(part) : part));
  return { version: { major, minor, patch, prerelease: identifiers } };
}

function prereleaseError(part: string): string | undefined {
  if (part === '') return 'Prerelease is empty';
  if (/^[0-9]+$/.test(part)) {
    return part.length > 1 && part.startsWith('0')
      ? `Numeric PreRelease version must not contain leading zeroes ${goQuote(part)}`
      : undefined;
  }
  return /^[0-9A-Za-z-]+$/.test(part)
    ? undefined
    : `Invalid character(s) found in prerelease ${goQuote(part)}`;
}

function identifierError(text: string, emptyMessage: string): string | undefined {
  for (const part of text.split('.')) {
    if (part === '') return emptyMessage;
    if (!/^[0-9A-Za-z-]+$/.test(part))
      return `Invalid character(s) found in build meta data ${goQuote(part)}`;
  }
  return undefined;
}

function compare(left: Version, right: Version): number {
  for (const part of ['major', 'minor', 'patch'] as const) {
    if (left[part] !== right[part]) return left[part] < right[part] ? -1 : 1;
  }
  const [a, b] = [left.prerelease, right.prerelease];
  if (a.length === 0 || b.length === 0) return Math.sign(b.length - a.length);
  for (const [index, part] of a.entries()) {
    const other = b[index];
    if (other === undefined) return 1;
    if (part === other) continue;
    if (typeof part !== typeof other) return typeof part === 'bigint' ? -1 : 1;
    return part < other ? -1 : 1;
  }
  return a.length < b.length ? -1 : 0;
}
