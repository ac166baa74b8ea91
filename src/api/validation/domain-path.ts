import { type FieldError, invalid, required } from '../../machinery/field-error.ts';
import { dns1123SubdomainErrors, httpPathErrors } from '../../machinery/validation/names.ts';
import { invalidEach } from '../core/pod-spec/invalid-each.ts';

/** A name such as `example.com/ingress-controller`: a domain, a slash, and a path of URL characters. */
export function validateDomainPrefixedPath(value: string, field: string): FieldError[] {
  if (value === '') return [required(field)];
  const slash = value.indexOf('/');
  const [domain, path] = slash < 0 ? [value, ''] : [value.slice(0, slash), value.slice(slash + 1)];
  if (slash < 0 || domain === '' || path === '') {
    return [invalid(field, value, 'must be a domain-prefixed path (such as "acme.io/foo")')];
  }
  return [
    ...invalidEach(field, domain, dns1123SubdomainErrors(domain)),
    ...invalidEach(field, path, httpPathErrors(path)),
  ];
}
