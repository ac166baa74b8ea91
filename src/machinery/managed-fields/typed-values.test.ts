import { expect, test } from 'vitest';
import type { Structure } from '../structure/structure.ts';
import { compareTyped } from './compare.ts';
import { fieldSetOf } from './field-set-of.ts';
import { decodeFields, encodeFields } from './fields-v1.ts';
import { mergeTyped } from './merge-typed.ts';
import { removeItems } from './remove-items.ts';
import { validateTyped } from './validate-typed.ts';

const string: Structure = { type: 'scalar', of: 'string' };
const granular: Structure = { type: 'map', atomic: false, member: () => string, declares: () => false };
const members: Readonly<Record<string, Structure>> = {
  name: string,
  size: { type: 'scalar', of: 'numeric' },
  on: { type: 'scalar', of: 'boolean' },
  labels: granular,
  lump: { ...granular, atomic: true },
  atoms: { type: 'list', list: 'atomic', items: string },
  tags: { type: 'list', list: 'set', items: string },
  open: { type: 'untyped' },
};
const item: Structure = {
  type: 'map',
  atomic: false,
  member: (name) => members[name],
  declares: (name) => Object.hasOwn(members, name),
};
const structure: Structure = {
  type: 'map',
  atomic: false,
  member: (name) =>
    name === 'parts'
      ? { type: 'list', list: 'map', keys: ['name', 'size'], keyDefaults: { size: 1 }, items: item }
      : members[name],
  declares: (name) => name === 'parts' || Object.hasOwn(members, name),
};

test('the fields of a value are its leaves, items and entries', () => {
  const value = {
    name: 'x',
    labels: { a: '1' },
    lump: { a: '1' },
    atoms: ['a'],
    tags: ['a'],
    open: { a: { b: [1] } },
    parts: [{ name: 'p', labels: {} }],
    on: null,
  };
  expect(encodeFields(fieldSetOf(value, structure))).toEqual({
    'f:atoms': {},
    'f:labels': { 'f:a': {} },
    'f:lump': {},
    'f:name': {},
    'f:on': {},
    'f:open': { 'f:a': { '.': {}, 'f:b': {} } },
    'f:parts': { 'k:{"name":"p","size":1}': { '.': {}, 'f:labels': {}, 'f:name': {} } },
    'f:tags': { 'v:"a"': {} },
  });
});

test.each([
  [
    'an added map shows itself and its entries',
    {},
    { labels: { a: '1' } },
    { added: { 'f:labels': { '.': {}, 'f:a': {} } } },
  ],
  [
    'an entry of a map that was there is added alone',
    { labels: {} },
    { labels: { a: '1' } },
    { added: { 'f:labels': { 'f:a': {} } } },
  ],
  [
    'an atomic map is modified as a whole',
    { lump: { a: '1' } },
    { lump: { a: '2', b: '3' } },
    { modified: { 'f:lump': {} } },
  ],
  [
    'a removed item shows all of it',
    { parts: [{ name: 'p', on: true }] },
    { parts: [] },
    { removed: { 'f:parts': { 'k:{"name":"p","size":1}': { '.': {}, 'f:name': {}, 'f:on': {} } } } },
  ],
  ['the order of items is no change', { tags: ['a', 'b'] }, { tags: ['b', 'a'] }, {}],
  ['an empty list and none are the same once they are there', { tags: [] }, { tags: null }, {}],
  [
    'what becomes a map shows both',
    { open: 1 },
    { open: { a: 1 } },
    { modified: { 'f:open': {} }, added: { 'f:open': { 'f:a': {} } } },
  ],
  [
    'items that share their keys are one',
    { tags: ['a', 'a'] },
    { tags: ['a', 'a', 'a'] },
    { modified: { 'f:tags': { 'v:"a"': {} } } },
  ],
])('%s', (_name, old, next, expected) => {
  const { added, modified, removed } = compareTyped(old, next, structure);
  const found = {
    added: encodeFields(added),
    modified: encodeFields(modified),
    removed: encodeFields(removed),
  };
  expect(found).toEqual({ added: {}, modified: {}, removed: {}, ...expected });
});

test.each([
  [
    'nothing is removed',
    { name: 'x', labels: { a: '1' } },
    { labels: { b: '2' } },
    { name: 'x', labels: { a: '1', b: '2' } },
  ],
  [
    'items keep their places, new ones come last',
    { tags: ['a', 'b'] },
    { tags: ['c'] },
    { tags: ['a', 'b', 'c'] },
  ],
  [
    'shared items take the configured order',
    { tags: ['a', 'b', 'c'] },
    { tags: ['c', 'a'] },
    { tags: ['b', 'c', 'a'] },
  ],
  [
    'a missing key is its default',
    { parts: [{ name: 'p', size: 1, on: true }] },
    { parts: [{ name: 'p', on: false }] },
    { parts: [{ name: 'p', size: 1, on: false }] },
  ],
  [
    'atomic values are replaced',
    { atoms: ['a'], lump: { a: '1' } },
    { atoms: ['b'], lump: { b: '2' } },
    { atoms: ['b'], lump: { b: '2' } },
  ],
  ['null empties no map', { labels: { a: '1' } }, { labels: null }, { labels: { a: '1' } }],
])('merging: %s', (_name, live, config, expected) => {
  expect(mergeTyped(live, config, structure)).toEqual(expected);
});

test('items and members are removed, and collections that lose all they have stay empty', () => {
  const value = { name: 'x', labels: { a: '1' }, tags: ['a', 'b'], parts: [{ name: 'p', on: true }] };
  const fields = decodeFields({
    'f:labels': { 'f:a': {} },
    'f:tags': { 'v:"a"': {} },
    'f:parts': { 'k:{"name":"p","size":1}': { 'f:on': {} } },
  });
  expect(removeItems(value, fields, structure)).toEqual({
    name: 'x',
    labels: {},
    tags: ['b'],
    parts: [{ name: 'p' }],
  });
});

test.each([
  [{ labels: ['a'] }, '.labels: expected map, got &{[a]}'],
  [{ tags: 'x' }, '.tags: expected list, got &{x}'],
  [{ name: 1 }, '.name: expected string, got &value.valueUnstructured{Value:1}'],
  [{ size: 'x' }, '.size: expected numeric (int or float), got string'],
  [{ on: 'x' }, '.on: expected boolean, got &{x}'],
  [{ bogus: 1 }, '.bogus: field not declared in schema'],
  [{ tags: ['a', 'a'] }, '.tags: duplicate entries for key [="a"]'],
  [{ parts: [null] }, '.parts: element 0: associative list with keys may not have a null element'],
  [{ parts: [{ name: 'p', bogus: 1 }] }, '.parts[name="p",size=1].bogus: field not declared in schema'],
  [
    { bogus: 1, size: 'x' },
    'errors:\n  .bogus: field not declared in schema\n  .size: expected numeric (int or float), got string',
  ],
])('%j is refused', (value, message) => {
  expect(() => validateTyped(value, structure)).toThrow(message);
});
