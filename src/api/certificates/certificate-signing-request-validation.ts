import { X509Certificate } from 'node:crypto';
import {
  type FieldError,
  duplicate,
  forbidden,
  invalid,
  notSupported,
  required,
} from '../../machinery/field-error.ts';
import { jsonEqual } from '../../machinery/patch/json-value.ts';
import {
  CertificateRequestError,
  parseCertificateRequest,
} from '../../machinery/x509/certificate-request.ts';
import { readPem } from '../../machinery/x509/pem.ts';
import { unifiedDiff } from '../core/spec-diff.ts';
import { validateSignerName } from './signer-name.ts';
import type {
  CertificateSigningRequest,
  CertificateSigningRequestCondition,
  CertificateSigningRequestStatus,
} from './v1.gen.ts';

type Request = CertificateSigningRequest;
type Part = 'request' | 'status' | 'approval';

const legacySigner = 'kubernetes.io/legacy-unknown';
const MIN_SECONDS = 600;
const decided = ['Approved', 'Denied'];
const permanent = ['Approved', 'Denied', 'Failed'];
const usages = [
  'any',
  'cert sign',
  'client auth',
  'code signing',
  'content commitment',
  'crl sign',
  'data encipherment',
  'decipher only',
  'digital signature',
  'email protection',
  'encipher only',
  'ipsec end system',
  'ipsec tunnel',
  'ipsec user',
  'key agreement',
  'key encipherment',
  'microsoft sgc',
  'netscape sgc',
  'ocsp signing',
  's/mime',
  'server auth',
  'signing',
  'timestamping',
];

/** Everything wrong with a new request. */
export function validateSigningRequest(request: Request): FieldError[] {
  return validateRequest(request, undefined);
}

/** Everything wrong with an update of a request, of its status, or of its approval. */
export function validateSigningRequestUpdate(next: Request, old: Request, part: Part): FieldError[] {
  const errors = validateRequest(next, old);
  const of = (request: Request, type: string): CertificateSigningRequestCondition[] =>
    conditionsOf(request).filter((condition) => condition.type === type);
  for (const type of permanent) {
    if (of(next, type).length < of(old, type).length) {
      const detail = `updates may not remove a condition of type "${type}"`;
      errors.push(forbidden('status.conditions', detail));
    }
  }
  for (const type of part === 'approval' ? [] : decided) {
    const [after, before] = [of(next, type), of(old, type)];
    if (after.length > before.length) {
      errors.push(forbidden('status.conditions', `updates may not add a condition of type "${type}"`));
    } else if (after.length === before.length && !jsonEqual(after, before)) {
      const detail = `updates may not modify a condition of type "${type}"`;
      errors.push(forbidden('status.conditions', `${detail}\n${unifiedDiff(before, after)}`));
    }
  }
  if ((next.status?.certificate ?? '') === (old.status?.certificate ?? '')) return errors;
  if (part !== 'status') {
    errors.push(forbidden('status.certificate', 'updates may not set certificate content'));
  } else if (old.status?.certificate) {
    errors.push(forbidden('status.certificate', 'updates may not modify existing certificate content'));
  }
  return errors;
}

function conditionsOf({ status }: Request): readonly CertificateSigningRequestCondition[] {
  return status?.conditions ?? [];
}

function validateRequest(request: Request, old: Request | undefined): FieldError[] {
  const { spec, status = {} } = request;
  const { signerName, expirationSeconds } = spec;
  const errors = [...requestErrors(spec.request), ...validateUsages(request, old)];
  if (signerName === legacySigner && old?.spec.signerName !== legacySigner) {
    const detail = 'the legacy signerName is not allowed via this API version';
    errors.push(invalid('spec.signerName', signerName, detail));
  } else errors.push(...validateSignerName(signerName, 'spec.signerName'));
  if (expirationSeconds !== undefined && expirationSeconds < MIN_SECONDS) {
    const detail = 'may not specify a duration less than 600 seconds (10 minutes)';
    errors.push(invalid('spec.expirationSeconds', expirationSeconds, detail));
  }
  errors.push(...validateConditions(request, old));
  const before = old?.status?.certificate;
  const settled = old && (before === status.certificate || certificateError(before) !== undefined);
  const wrong = settled ? undefined : certificateError(status.certificate);
  if (wrong !== undefined) errors.push(invalid('status.certificate', '<certificate data>', wrong));
  return errors;
}

function requestErrors(encoded: string | undefined): FieldError[] {
  try {
    parseCertificateRequest(Buffer.from(encoded ?? '', 'base64').toString('latin1'));
    return [];
  } catch (error) {
    if (!(error instanceof CertificateRequestError)) throw error;
    return [invalid('spec.request', encoded || null, error.message)];
  }
}

function validateUsages({ spec }: Request, old: Request | undefined): FieldError[] {
  const given: readonly string[] = spec.usages ?? [];
  const before: readonly string[] = old?.spec.usages ?? [];
  const errors: FieldError[] = given.length > 0 ? [] : [required('spec.usages')];
  if (before.every((usage) => usages.includes(usage))) {
    for (const [index, usage] of given.entries()) {
      if (!usages.includes(usage)) errors.push(notSupported(`spec.usages[${index}]`, usage, usages));
    }
  }
  if (new Set(before).size < before.length) return errors;
  for (const [index, usage] of given.entries()) {
    if (given.indexOf(usage) < index) errors.push(duplicate(`spec.usages[${index}]`, usage));
  }
  return errors;
}

function validateConditions(request: Request, old: Request | undefined): FieldError[] {
  const field = 'status.conditions';
  const before = old ? conditionsOf(old).map(({ type }) => type) : [];
  const mayBoth = decided.every((type) => before.includes(type));
  const seen = new Set<string>();
  return conditionsOf(request).flatMap(({ type, status }, index) => {
    const path = `${field}[${index}]`;
    const errors: FieldError[] = [];
    if (type === '' && !before.includes('')) errors.push(required(`${path}.type`));
    const allowed = permanent.includes(type) ? ['True'] : ['False', 'True', 'Unknown'];
    if (status === '') errors.push(required(`${path}.status`));
    else if (!allowed.includes(status)) errors.push(notSupported(`${path}.status`, status, allowed));
    if (!mayBoth && decided.includes(type) && decided.some((one) => one !== type && seen.has(one))) {
      errors.push(invalid(field, type, 'Approved and Denied conditions are mutually exclusive'));
    }
    if (seen.has(type) && new Set(before).size === before.length) {
      errors.push(duplicate(`${path}.type`, type));
    }
    seen.add(type);
    return errors;
  });
}

function certificateError(encoded: CertificateSigningRequestStatus['certificate']): string | undefined {
  if (!encoded) return undefined;
  const blocks = readPem(Buffer.from(encoded, 'base64').toString('latin1'));
  if (blocks.length === 0) return 'must contain at least one CERTIFICATE PEM block';
  for (const { type, headers, bytes } of blocks) {
    if (type !== 'CERTIFICATE') return `only CERTIFICATE PEM blocks are allowed, found "${type}"`;
    if (headers) return 'no PEM block headers are permitted';
    if (bytes.length === 0) return 'found CERTIFICATE PEM block containing 0 certificates';
    if (!isCertificate(bytes)) return 'x509: malformed certificate';
  }
  return undefined;
}

function isCertificate(bytes: Buffer): boolean {
  try {
    return new X509Certificate(bytes).raw.length > 0;
  } catch {
    // The constructor is the only parser there is; what it refuses is no certificate.
    return false;
  }
}
