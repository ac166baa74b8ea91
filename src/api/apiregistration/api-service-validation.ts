import { type FieldError, invalid, notSupported, required } from '../../machinery/field-error.ts';
import { goQuote } from '../../machinery/go-quote.ts';
import {
  dns1123SubdomainErrors,
  maxLengthMessage,
  pathSegmentNameErrors,
} from '../../machinery/validation/names.ts';
import type { APIService } from './v1.gen.ts';

const dns1035 = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;
const dns1035Message =
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";

function dns1035Errors(value: string): string[] {
  return [
    ...(value.length > 63 ? [maxLengthMessage(63)] : []),
    ...(dns1035.test(value) ? [] : [dns1035Message]),
  ];
}

function validateName({ metadata, spec }: APIService): FieldError[] {
  const { name } = metadata;
  const wanted = `${spec.version ?? ''}.${spec.group ?? ''}`;
  if (!name || name === wanted || pathSegmentNameErrors(name).length > 0) return [];
  return [invalid('metadata.name', name, `must be \`spec.version+"."+spec.group\`: ${goQuote(wanted)}`)];
}

function validateLocal({ caBundle, insecureSkipTLSVerify }: APIService['spec']): FieldError[] {
  const errors: FieldError[] = [];
  const size = Buffer.byteLength(caBundle ?? '', 'base64');
  if (size > 0)
    errors.push(invalid('spec.caBundle', `${size} bytes`, 'local APIServices may not have a caBundle'));
  if (insecureSkipTLSVerify) {
    const detail = 'local APIServices may not have insecureSkipTLSVerify';
    errors.push(invalid('spec.insecureSkipTLSVerify', true, detail));
  }
  return errors;
}

/** `ValidateAPIService` of upstream. */
export function validateApiService(service: APIService): FieldError[] {
  const { spec } = service;
  const { group = '', version = '' } = spec;
  const errors = validateName(service);
  if (group === '' && version !== 'v1') {
    errors.push(required('spec.group', 'only v1 may have an empty group and it better be legacy kube'));
  }
  if (group !== '')
    errors.push(...dns1123SubdomainErrors(group).map((message) => invalid('spec.group', group, message)));
  errors.push(...dns1035Errors(version).map((message) => invalid('spec.version', version, message)));
  const bounded = (field: 'groupPriorityMinimum' | 'versionPriority', most: number): void => {
    const value = spec[field] ?? 0;
    if (value <= 0 || value > most)
      errors.push(invalid(`spec.${field}`, value, `must be positive and less than ${most}`));
  };
  bounded('groupPriorityMinimum', 20_000);
  bounded('versionPriority', 1000);
  if (!spec.service) return [...errors, ...validateLocal(spec)];
  if (!spec.service.namespace) errors.push(required('spec.service.namespace'));
  if (!spec.service.name) errors.push(required('spec.service.name'));
  const { port = 443 } = spec.service;
  if (port < 1 || port > 65_535) {
    const detail = 'port is not valid: must be between 1 and 65535, inclusive';
    errors.push(invalid('spec.service.port', port, detail));
  }
  if (spec.insecureSkipTLSVerify && spec.caBundle) {
    errors.push(invalid('spec.insecureSkipTLSVerify', true, 'may not be true if caBundle is present'));
  }
  return errors;
}

/** The conditions of an APIService. */
export function validateApiServiceStatus({ status }: APIService): FieldError[] {
  const known = ['True', 'False', 'Unknown'];
  return (status?.conditions ?? []).flatMap((condition, index) =>
    known.includes(condition.status)
      ? []
      : [notSupported(`status.conditions[${index}].status`, condition.status, known)],
  );
}
