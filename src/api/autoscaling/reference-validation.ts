import { type FieldError, invalid, required } from '../../machinery/field-error.ts';
import { pathSegmentNameErrors } from '../../machinery/validation/names.ts';
import { invalidEach } from '../core/pod-spec/invalid-each.ts';
import type { CrossVersionObjectReference } from './v2.gen.ts';

function apiVersionError(apiVersion: string, coreGroup: 'allowed' | 'refused'): string | undefined {
  const slashes = apiVersion.split('/').length - 1;
  if (slashes > 1) return `unexpected GroupVersion string: ${apiVersion}`;
  const group = slashes === 1 ? apiVersion.slice(0, apiVersion.indexOf('/')) : '';
  return coreGroup === 'refused' && group === '' ? 'apiVersion must specify API group' : undefined;
}

/** Everything wrong with a reference to an object of any kind; whether its group may be the empty one. */
export function validateReference(
  { kind, name, apiVersion = '' }: CrossVersionObjectReference,
  field: string,
  { coreGroup }: { readonly coreGroup: 'allowed' | 'refused' },
): FieldError[] {
  const part = (value: string, at: string): FieldError[] =>
    value ? invalidEach(at, value, pathSegmentNameErrors(value)) : [required(at)];
  const wrong = apiVersionError(apiVersion, coreGroup);
  return [
    ...part(kind, `${field}.kind`),
    ...part(name, `${field}.name`),
    ...(wrong === undefined ? [] : [invalid(`${field}.apiVersion`, apiVersion, wrong)]),
  ];
}
