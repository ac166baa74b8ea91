import { equalValues } from '../equality.ts';
import { evaluationError } from '../evaluation-error.ts';
import type { FunctionLibrary } from '../function-table.ts';
import { asOptional, tagged } from '../value-guards.ts';
import { NONE, some } from '../value.ts';
import type { CelValue } from '../value.ts';

/** cel-go's optional values. */
export function optionalFunctions(): FunctionLibrary {
  return [
    {
      id: 'optional_of',
      signature: 'optional.of(V) -> optional_type(V)',
      run: (value = null) => some(value),
    },
    {
      id: 'optional_ofNonZeroValue',
      signature: 'optional.ofNonZeroValue(V) -> optional_type(V)',
      run: (value = null) => (isZero(value) ? NONE : some(value)),
    },
    { id: 'optional_none', signature: 'optional.none() -> optional_type(V)', run: () => NONE },
    {
      id: 'optional_value',
      signature: '<optional_type(V)>.value() -> V',
      run: (value) => asOptional(value).value ?? dereferenced(value),
    },
    {
      id: 'optional_hasValue',
      signature: '<optional_type(V)>.hasValue() -> bool',
      run: (value) => asOptional(value).value !== undefined,
    },
    {
      id: 'optional_or_optional',
      signature: '<optional_type(V)>.or(optional_type(V)) -> optional_type(V)',
      run: (value, other = NONE) => (asOptional(value).value === undefined ? other : (value ?? null)),
    },
    {
      id: 'optional_orValue_value',
      signature: '<optional_type(V)>.orValue(V) -> V',
      run: (value, other = null) => {
        const { value: held } = asOptional(value);
        return held === undefined ? other : held;
      },
    },
  ];
}

function dereferenced(value: CelValue | undefined): CelValue {
  return asOptional(value).value === null ? null : evaluationError('optional.none() dereference');
}

function isZero(value: CelValue): boolean {
  if (value === null || value === false || value === '' || equalValues(value, 0n)) return true;
  if (value instanceof Uint8Array) return value.length === 0;
  const own = tagged(value);
  if (own === undefined) return false;
  if (own.kind === 'list' || own.kind === 'map') return own.size === 0;
  if (own.kind === 'duration') return own.nanos === 0n;
  if (own.kind === 'struct') return own.fields().length === 0;
  return own.kind === 'optional' && own.value === undefined;
}
