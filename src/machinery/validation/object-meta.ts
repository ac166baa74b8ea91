import { isDeepStrictEqual } from 'node:util';
import { type FieldError, forbidden, invalid, required, tooLong } from '../field-error.ts';
import { goQuote } from '../go-quote.ts';
import type { ObjectMeta, OwnerReference } from '../meta/v1.gen.ts';
import {
  dns1123LabelErrors,
  dns1123SubdomainErrors,
  labelValueErrors,
  nameRule,
  type NameRule,
  qualifiedNameErrors,
} from './names.ts';

/** Bytes that all annotations of an object, keys and values, may take. */
const MAX_ANNOTATIONS_BYTES = 256 * 1024;

const STANDARD_FINALIZERS: readonly string[] = ['kubernetes', 'orphan', 'foregroundDeletion'];
const MAX_MANAGER_LENGTH = 128;

/** What a kind asks of its metadata. */
export interface MetaRules {
  readonly namespaced: boolean;
  /** Default: RFC 1123 subdomain. */
  readonly name?: NameRule;
  /** Built-in kinds: finalizers without a domain must be upstream's own. Default true. */
  readonly qualifiedFinalizers?: boolean;
}

/** Everything wrong with the metadata of an object to create, in upstream's order. */
export function validateObjectMeta(
  meta: ObjectMeta,
  rules: MetaRules,
  path: string = 'metadata',
): FieldError[] {
  const nameErrors = rules.name ?? nameRule(dns1123SubdomainErrors);
  const errors: FieldError[] = [];
  if (meta.generateName) {
    for (const message of nameErrors(meta.generateName, { prefix: true })) {
      errors.push(invalid(`${path}.generateName`, meta.generateName, message));
    }
  }
  if (!meta.name) {
    errors.push(required(`${path}.name`, 'name or generateName is required'));
  } else {
    for (const message of nameErrors(meta.name, { prefix: false })) {
      errors.push(invalid(`${path}.name`, meta.name, message));
    }
  }
  errors.push(...validateNamespace(meta, rules, path));
  if ((meta.generation ?? 0) < 0) {
    errors.push(invalid(`${path}.generation`, meta.generation, 'must be greater than or equal to 0'));
  }
  errors.push(
    ...validateLabels(meta.labels, `${path}.labels`),
    ...validateAnnotations(meta.annotations, `${path}.annotations`),
    ...validateOwnerReferences(meta.ownerReferences ?? [], `${path}.ownerReferences`),
    ...validateFinalizers(meta.finalizers ?? [], `${path}.finalizers`),
  );
  if (rules.qualifiedFinalizers ?? true) {
    errors.push(...validateFinalizerDomains(meta.finalizers ?? [], `${path}.finalizers`));
  }
  return errors;
}

/** Everything wrong with the metadata of an update. Fields that a client may leave out are taken as unchanged. */
export function validateObjectMetaUpdate(
  next: ObjectMeta,
  old: ObjectMeta,
  rules: MetaRules,
  path: string = 'metadata',
): FieldError[] {
  const errors: FieldError[] = [];
  if (old.deletionTimestamp) {
    const added = (next.finalizers ?? []).filter((name) => !old.finalizers?.includes(name)).sort();
    if (added.length > 0) {
      const list = `[]string{${added.map((name) => goQuote(name)).join(', ')}}`;
      const detail = `no new finalizers can be added if the object is being deleted, found new finalizers ${list}`;
      errors.push(forbidden(`${path}.finalizers`, detail));
    }
  }
  if (!next.resourceVersion) {
    errors.push(
      invalid(`${path}.resourceVersion`, next.resourceVersion ?? '', 'must be specified for an update'),
    );
  }
  if ((next.generation ?? 0) < (old.generation ?? 0)) {
    errors.push(invalid(`${path}.generation`, next.generation ?? 0, 'must not be decremented'));
  }
  for (const field of [
    'name',
    'namespace',
    'uid',
    'deletionTimestamp',
    'deletionGracePeriodSeconds',
  ] as const) {
    const value = next[field];
    if (value !== undefined && value !== old[field]) {
      errors.push(invalid(`${path}.${field}`, value, 'field is immutable'));
    }
  }
  errors.push(
    ...validateLabels(next.labels, `${path}.labels`),
    ...validateAnnotations(next.annotations, `${path}.annotations`),
    ...validateOwnerReferences(next.ownerReferences ?? [], `${path}.ownerReferences`),
  );
  if (rules.qualifiedFinalizers ?? true) {
    errors.push(...validateFinalizerDomains(next.finalizers ?? [], `${path}.finalizers`));
  }
  return errors;
}

function validateNamespace(meta: ObjectMeta, rules: MetaRules, path: string): FieldError[] {
  if (!rules.namespaced) {
    return meta.namespace ? [forbidden(`${path}.namespace`, 'not allowed on this type')] : [];
  }
  if (!meta.namespace) return [required(`${path}.namespace`)];
  const { namespace } = meta;
  return dns1123LabelErrors(namespace).map((message) => invalid(`${path}.namespace`, namespace, message));
}

/** Errors of a label map, by ascending key; all at `path` itself, as upstream reports them. */
export function validateLabels(
  labels: Readonly<Record<string, string>> | undefined,
  path: string,
): FieldError[] {
  return sortedEntries(labels).flatMap(([key, value]) => [
    ...qualifiedNameErrors(key).map((message) => invalid(path, key, message)),
    ...labelValueErrors(value).map((message) => invalid(path, value, message)),
  ]);
}

/** Errors of annotations: bad keys, and too many bytes altogether. */
export function validateAnnotations(
  annotations: Readonly<Record<string, string>> | undefined,
  path: string,
): FieldError[] {
  const entries = sortedEntries(annotations);
  const errors = entries.flatMap(([key]) =>
    qualifiedNameErrors(key.toLowerCase()).map((message) => invalid(path, key, message)),
  );
  const size = entries.reduce(
    (sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(value),
    0,
  );
  if (size > MAX_ANNOTATIONS_BYTES) errors.push(tooLong(path, MAX_ANNOTATIONS_BYTES));
  return errors;
}

function sortedEntries(map: Readonly<Record<string, string>> | undefined): [string, string][] {
  return Object.entries(map ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
}

function validateOwnerReferences(owners: readonly OwnerReference[], path: string): FieldError[] {
  const errors: FieldError[] = [];
  let controller: OwnerReference | undefined;
  for (const owner of owners) {
    errors.push(...validateOwnerReference(owner, path));
    if (!owner.controller) continue;
    if (controller) {
      const pair = `${controller.kind}/${controller.name} and ${owner.kind}/${owner.name}`;
      const detail = `Only one reference can have Controller set to true. Found "true" in references for ${pair}`;
      errors.push(invalid(path, owners, detail));
    } else {
      controller = owner;
    }
  }
  return errors;
}

function validateOwnerReference(owner: OwnerReference, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const parts = (owner.apiVersion ?? '').split('/');
  if (parts.length > 2 || (parts.at(-1) ?? '') === '') {
    errors.push(invalid(`${path}.apiVersion`, owner.apiVersion ?? '', 'version must not be empty'));
  }
  for (const field of ['kind', 'name', 'uid'] as const) {
    if (!owner[field]) errors.push(invalid(`${path}.${field}`, '', 'must not be empty'));
  }
  if (owner.kind === 'Event' && owner.apiVersion === 'v1') {
    errors.push(invalid(path, owner, '/v1, Kind=Event is disallowed from being an owner'));
  }
  return errors;
}

function validateFinalizers(finalizers: readonly string[], path: string): FieldError[] {
  const errors = finalizers.flatMap((name) =>
    qualifiedNameErrors(name).map((message) => invalid(path, name, message)),
  );
  if (finalizers.includes('orphan') && finalizers.includes('foregroundDeletion')) {
    errors.push(invalid(path, finalizers, 'finalizer orphan and foregroundDeletion cannot be both set'));
  }
  return errors;
}

function validateFinalizerDomains(finalizers: readonly string[], path: string): FieldError[] {
  return finalizers.flatMap((name, index) =>
    name.includes('/') || STANDARD_FINALIZERS.includes(name)
      ? []
      : [
          invalid(
            `${path}[${index}]`,
            name,
            'name is neither a standard finalizer name nor is it fully qualified',
          ),
        ],
  );
}

/** Errors of the name of a field manager (also the request parameter `fieldManager`). */
export function validateFieldManager(manager: string, path: string): FieldError[] {
  const errors: FieldError[] = [];
  if (Buffer.byteLength(manager) > MAX_MANAGER_LENGTH) errors.push(tooLong(path, MAX_MANAGER_LENGTH));
  for (const { 0: char, index } of manager.matchAll(/[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu)) {
    const code = (char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
    const position = Array.from(manager.slice(0, index)).length;
    errors.push(invalid(path, manager, `invalid character U+${code} (at position ${position})`));
    break;
  }
  return errors;
}

/** `field is immutable` when the two differ. Absent equals absent; order of keys does not matter. */
export function validateImmutable(next: unknown, old: unknown, path: string): FieldError[] {
  return isDeepStrictEqual(next, old) ? [] : [invalid(path, next, 'field is immutable')];
}
