import { createPrivateKey, X509Certificate } from 'node:crypto';
import { type FieldError, forbidden, invalid, required, tooLong } from '../../machinery/field-error.ts';
import { JsonSyntaxError } from '../../machinery/json/json-error.ts';
import { parseJson } from '../../machinery/json/parse-json.ts';
import type { DeepMutable } from '../../machinery/object.ts';
import { jsonEqual } from '../../machinery/patch/json-value.ts';
import { configMapKeyErrors } from '../../machinery/validation/names.ts';
import { validateImmutable } from '../../machinery/validation/object-meta.ts';
import { ageColumn, nameColumn } from '../columns.ts';
import { defineResource, type ResourceDefinition } from '../resource.ts';
import { MAX_DATA_BYTES } from './config-maps.ts';
import { type Secret, secrets as secretType } from './v1.gen.ts';

/** The annotation that names the account of a `kubernetes.io/service-account-token` secret. */
const SERVICE_ACCOUNT_ANNOTATION = 'kubernetes.io/service-account.name';

/** Keys that secrets of a type must hold. */
const REQUIRED_KEYS: ReadonlyMap<string, readonly string[]> = new Map([
  ['kubernetes.io/dockercfg', ['.dockercfg']],
  ['kubernetes.io/dockerconfigjson', ['.dockerconfigjson']],
  ['kubernetes.io/ssh-auth', ['ssh-privatekey']],
  ['kubernetes.io/tls', ['tls.crt', 'tls.key']],
]);

/** Confidential data for pods, by key. */
export const secrets: ResourceDefinition<Secret> = defineResource<Secret>({
  storage: 'v1',
  versions: { v1: { type: secretType, schema: 'io.k8s.api.core.v1.Secret', defaults } },
  validate,
  validateUpdate: (next, old) => [
    ...validateImmutable(next.type, old.type, 'type'),
    ...validateFrozen(next, old),
    ...validate(next),
  ],
  warnings: (secret) => (secret.type === 'kubernetes.io/tls' ? keyPairWarnings(secret) : []),
  selectableFields: { type: ({ type = '' }) => type },
  columns: [
    nameColumn(),
    { name: 'Type', type: 'string', cell: ({ type = '' }) => type },
    { name: 'Data', type: 'string', cell: ({ data = {} }) => Object.keys(data).length },
    ageColumn(),
  ],
});

/** `stringData` is written only: its texts become data, and win over data of the same key. */
function defaults(secret: DeepMutable<Secret>): void {
  if (!secret.type) secret.type = 'Opaque';
  if (!secret.stringData) return;
  const encoded = Object.entries(secret.stringData).map(([key, text]): [string, string] => [
    key,
    Buffer.from(text).toString('base64'),
  ]);
  if (encoded.length > 0) secret.data = { ...secret.data, ...Object.fromEntries(encoded) };
  delete secret.stringData;
}

function validate(secret: Secret): FieldError[] {
  const { data = {} } = secret;
  const errors = Object.keys(data)
    .sort()
    .flatMap((key) => configMapKeyErrors(key).map((message) => invalid(`data[${key}]`, key, message)));
  const size = Object.values(data).reduce((sum, base64) => sum + Buffer.byteLength(base64, 'base64'), 0);
  if (size > MAX_DATA_BYTES) errors.push(tooLong('data', MAX_DATA_BYTES));
  return [...errors, ...validateType(secret)];
}

function validateType({ type = '', data = {}, metadata }: Secret): FieldError[] {
  switch (type) {
    case 'kubernetes.io/service-account-token':
      return metadata.annotations?.[SERVICE_ACCOUNT_ANNOTATION]
        ? []
        : [required(`metadata.annotations[${SERVICE_ACCOUNT_ANNOTATION}]`)];
    case 'kubernetes.io/basic-auth':
      return Object.hasOwn(data, 'username') || Object.hasOwn(data, 'password')
        ? []
        : [required('data[username]'), required('data[password]')];
    case 'kubernetes.io/dockercfg':
    case 'kubernetes.io/dockerconfigjson':
      return requiredKeys(type).flatMap((key) => validateJson(data[key], `data[${key}]`));
    case 'kubernetes.io/ssh-auth':
      return requiredKeys(type).flatMap((key) => (data[key] ? [] : [required(`data[${key}]`)]));
    default:
      return requiredKeys(type).flatMap((key) =>
        Object.hasOwn(data, key) ? [] : [required(`data[${key}]`)],
      );
  }
}

/** What is wrong with a certificate and its key, in the words of Go's `tls.X509KeyPair`. */
function keyPairWarnings({ data = {} }: Secret): string[] {
  const [certificate, key] = ['tls.crt', 'tls.key'].map((name) => Buffer.from(data[name] ?? '', 'base64'));
  if (!certificate?.includes('-----BEGIN CERTIFICATE-----'))
    return ['tls: failed to find any PEM data in certificate input'];
  if (!key?.includes('PRIVATE KEY-----')) return ['tls: failed to find any PEM data in key input'];
  try {
    const matches = new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key));
    return matches ? [] : ['tls: private key does not match public key'];
  } catch {
    return ['tls: failed to parse private key'];
  }
}

function requiredKeys(type: string): readonly string[] {
  return REQUIRED_KEYS.get(type) ?? [];
}

function validateJson(base64: string | undefined, field: string): FieldError[] {
  if (base64 === undefined) return [required(field)];
  try {
    parseJson(Buffer.from(base64, 'base64'));
    return [];
  } catch (error) {
    if (!(error instanceof JsonSyntaxError)) throw error;
    return [invalid(field, '<secret contents redacted>', error.message)];
  }
}

function validateFrozen(next: Secret, old: Secret): FieldError[] {
  if (!old.immutable) return [];
  const detail = 'field is immutable when `immutable` is set';
  return [
    ...(next.immutable ? [] : [forbidden('immutable', detail)]),
    ...(jsonEqual(next.data ?? {}, old.data ?? {}) ? [] : [forbidden('data', detail)]),
  ];
}
