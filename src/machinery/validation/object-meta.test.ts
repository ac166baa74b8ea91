import { describe, expect, it } from 'vitest';
import type { ObjectMeta } from '../meta/v1.gen.ts';
import {
  dns1123LabelErrors,
  dns1123SubdomainErrors,
  nameRule,
  pathSegmentNameErrors,
  portNameErrors,
} from './names.ts';
import { validateFieldManager, validateObjectMeta, validateObjectMetaUpdate } from './object-meta.ts';

const subdomain =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const namePart =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";

const owner = { apiVersion: 'v1', kind: 'Pod', name: 'x', uid: '1', controller: true };

describe('metadata of a new object', () => {
  it.each<[string, ObjectMeta, string[]]>([
    [
      'good',
      {
        name: 'a.b-c',
        labels: { 'x.io/y': '' },
        annotations: { 'X/y': '' },
        finalizers: ['x.io/y', 'orphan'],
      },
      [],
    ],
    ['no name', {}, ['metadata.name: Required value: name or generateName is required']],
    ['bad name', { name: 'A' }, [`metadata.name: Invalid value: "A": ${subdomain}`]],
    [
      'long name',
      { name: 'a'.repeat(254) },
      [`metadata.name: Invalid value: "${'a'.repeat(254)}": must be no more than 253 characters`],
    ],
    ['prefix that ends in a hyphen', { generateName: 'a-', name: 'a-xyz' }, []],
    [
      'bad prefix',
      { generateName: 'B_', name: 'b' },
      [`metadata.generateName: Invalid value: "B_": ${subdomain}`],
    ],
    [
      'label without prefix',
      { name: 'a', labels: { '/a': 'x' } },
      ['metadata.labels: Invalid value: "/a": prefix part must be non-empty'],
    ],
    [
      'bad label prefix',
      { name: 'a', labels: { 'E.com/a': 'x' } },
      [`metadata.labels: Invalid value: "E.com/a": prefix part ${subdomain}`],
    ],
    [
      'long label value',
      { name: 'a', labels: { a: 'b'.repeat(64) } },
      [`metadata.labels: Invalid value: "${'b'.repeat(64)}": must be no more than 63 bytes`],
    ],
    [
      'large annotations',
      { name: 'a', annotations: { a: 'x'.repeat(262_144) } },
      ['metadata.annotations: Too long: may not be more than 262144 bytes'],
    ],
    [
      'incomplete owner',
      { name: 'a', ownerReferences: [{ apiVersion: '', kind: 'Pod', name: 'x', uid: '' }] },
      [
        'metadata.ownerReferences.apiVersion: Invalid value: "": version must not be empty',
        'metadata.ownerReferences.uid: Invalid value: "": must not be empty',
      ],
    ],
    [
      'two controllers',
      { name: 'a', ownerReferences: [owner, { ...owner, name: 'y' }] },
      [
        'metadata.ownerReferences: Invalid value: [{"apiVersion":"v1","kind":"Pod","name":"x","uid":"1","controller":true},{"apiVersion":"v1","kind":"Pod","name":"y","uid":"1","controller":true}]: Only one reference can have Controller set to true. Found "true" in references for Pod/x and Pod/y',
      ],
    ],
    [
      'bad finalizer',
      { name: 'a', finalizers: ['Bad Finalizer'] },
      [
        `metadata.finalizers: Invalid value: "Bad Finalizer": ${namePart}`,
        'metadata.finalizers[0]: Invalid value: "Bad Finalizer": name is neither a standard finalizer name nor is it fully qualified',
      ],
    ],
    [
      'finalizers that exclude each other',
      { name: 'a', finalizers: ['foregroundDeletion', 'orphan'] },
      [
        'metadata.finalizers: Invalid value: ["foregroundDeletion","orphan"]: finalizer orphan and foregroundDeletion cannot be both set',
      ],
    ],
  ])('%s', (_name, meta, messages) => {
    const found = validateObjectMeta({ namespace: 'n', ...meta }, { namespaced: true });
    expect(found.map(({ field, message }) => `${field}: ${message}`)).toEqual(messages);
  });

  it('asks for a namespace where the kind has one, and refuses it elsewhere', () => {
    expect(validateObjectMeta({ name: 'a' }, { namespaced: true })).toEqual([
      { field: 'metadata.namespace', reason: 'FieldValueRequired', message: 'Required value' },
    ]);
    expect(validateObjectMeta({ name: 'a', namespace: 'n' }, { namespaced: false })).toEqual([
      {
        field: 'metadata.namespace',
        reason: 'FieldValueForbidden',
        message: 'Forbidden: not allowed on this type',
      },
    ]);
  });
});

describe('metadata of an update', () => {
  const old: ObjectMeta = { name: 'a', namespace: 'n', uid: 'u', resourceVersion: '5', generation: 2 };

  it.each<[string, ObjectMeta, ObjectMeta, string[]]>([
    ['unchanged', old, old, []],
    ['fields left out', { name: 'a', namespace: 'n', resourceVersion: '5', generation: 2 }, old, []],
    [
      'no version',
      { ...old, resourceVersion: '' },
      old,
      ['metadata.resourceVersion: Invalid value: "": must be specified for an update'],
    ],
    ['other uid', { ...old, uid: 'v' }, old, ['metadata.uid: Invalid value: "v": field is immutable']],
    [
      'new finalizer on an object that goes',
      { ...old, deletionTimestamp: 't', finalizers: ['a/b', 'a/c'] },
      { ...old, deletionTimestamp: 't', finalizers: ['a/b'] },
      [
        'metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"a/c"}',
      ],
    ],
  ])('%s', (_name, next, before, messages) => {
    const found = validateObjectMetaUpdate(next, before, { namespaced: true });
    expect(found.map(({ field, message }) => `${field}: ${message}`)).toEqual(messages);
  });
});

describe('names', () => {
  it.each<[string, (value: string) => string[], string, string[]]>([
    ['label', dns1123LabelErrors, 'a.b', ['must not contain dots']],
    ['label', dns1123LabelErrors, 'a'.repeat(64), ['must be no more than 63 characters']],
    ['subdomain', dns1123SubdomainErrors, 'a..b', [subdomain]],
    ['path segment', pathSegmentNameErrors, 'a/b%', ["may not contain '/'", "may not contain '%'"]],
    ['path segment', pathSegmentNameErrors, '..', ["may not be '..'"]],
    ['path segment', pathSegmentNameErrors, 'system:x', []],
    [
      'port',
      portNameErrors,
      '1--2-',
      [
        'must contain at least one letter (a-z)',
        'must not contain consecutive hyphens',
        'must not begin or end with a hyphen',
      ],
    ],
    ['port', portNameErrors, 'http-alternative', ['must be no more than 15 characters']],
  ])('%s', (_kind, rule, value, messages) => {
    expect(rule(value)).toEqual(messages);
  });

  it('lets prefixes end in a hyphen', () => {
    expect(nameRule(dns1123SubdomainErrors)('web-', { prefix: true })).toEqual([]);
    expect(nameRule(dns1123SubdomainErrors)('web-', { prefix: false })).toEqual([subdomain]);
  });

  it('shows where a field manager is not printable', () => {
    expect(validateFieldManager('a\u0007b', 'fieldManager').map(({ message }) => message)).toEqual([
      'Invalid value: "a\\ab": invalid character U+0007 (at position 1)',
    ]);
  });
});
