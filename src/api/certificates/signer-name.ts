import { type FieldError, invalid, required, tooLong } from '../../machinery/field-error.ts';
import { dns1123LabelErrors, dns1123SubdomainErrors } from '../../machinery/validation/names.ts';

const MAX_DOMAIN = 253;
const MAX_NAME = 571;

/** A signer's name, such as `kubernetes.io/kubelet-serving`. */
export function validateSignerName(name: string, field: string): FieldError[] {
  if (name === '') return [required(field)];
  const [domain = '', path = '', ...rest] = name.split('/');
  if (rest.length > 0 || !name.includes('/')) {
    const detail = "must be a fully qualified domain and path of the form 'example.com/signer-name'";
    return [invalid(field, name, detail)];
  }
  const errors = Buffer.byteLength(domain) > MAX_DOMAIN ? [tooLong(field, MAX_DOMAIN)] : [];
  const labels = domain.split('.');
  errors.push(...firstWrong(labels, dns1123LabelErrors).map((detail) => invalid(field, domain, detail)));
  if (labels.length < 2) {
    errors.push(invalid(field, domain, 'should be a domain with at least two segments separated by dots'));
  }
  const wrong = firstWrong(path.split('.'), dns1123SubdomainErrors);
  errors.push(...wrong.map((detail) => invalid(field, path, detail)));
  return Buffer.byteLength(name) > MAX_NAME ? [...errors, tooLong(field, MAX_NAME)] : errors;
}

function firstWrong(labels: readonly string[], rule: (label: string) => string[]): string[] {
  const wrong = labels.find((label) => rule(label).length > 0);
  return wrong === undefined ? [] : rule(wrong).map((message) => `validating label "${wrong}": ${message}`);
}
