import { expect, test } from 'vitest';
import { equalSets, intersectSets, pathsOf, subtractSet, subtractTrees, unionSets } from './field-set.ts';
import { decodeFields, encodeFields } from './fields-v1.ts';
import { formatPath } from './path-element.ts';

const whole = decodeFields({ 'f:a': { '.': {}, 'f:b': {}, 'f:c': { 'f:d': {} } }, 'f:e': {} });

test.each([
  [
    'a union has the fields of both',
    unionSets(whole, decodeFields({ 'f:z': {} })),
    { 'f:a': { '.': {}, 'f:b': {}, 'f:c': { 'f:d': {} } }, 'f:e': {}, 'f:z': {} },
  ],
  [
    'an intersection has those that both have',
    intersectSets(whole, decodeFields({ 'f:a': { 'f:b': {} }, 'f:e': { 'f:x': {} } })),
    { 'f:a': { 'f:b': {} } },
  ],
  [
    'a field taken away takes none below it',
    subtractSet(whole, decodeFields({ 'f:a': {} })),
    { 'f:a': { 'f:b': {}, 'f:c': { 'f:d': {} } }, 'f:e': {} },
  ],
  [
    'a field below taken away leaves the one above',
    subtractSet(whole, decodeFields({ 'f:a': { 'f:b': {} } })),
    { 'f:a': { '.': {}, 'f:c': { 'f:d': {} } }, 'f:e': {} },
  ],
  ['a tree taken away takes all below it', subtractTrees(whole, decodeFields({ 'f:a': {} })), { 'f:e': {} }],
])('%s', (_name, set, expected) => {
  expect(encodeFields(set)).toEqual(expected);
});

test('fieldsV1 is in upstream’s order with the keys of items sorted', () => {
  const set = decodeFields({
    'v:10': {},
    'f:b': {},
    'k:{"protocol":"TCP","containerPort":80}': {},
    'v:"x"': {},
    'v:9': {},
    'f:a': { 'f:z': {}, '.': {} },
    'k:{"containerPort":9,"protocol":"TCP"}': {},
  });
  expect(JSON.stringify(encodeFields(set))).toBe(
    JSON.stringify({
      'f:a': { '.': {}, 'f:z': {} },
      'f:b': {},
      'k:{"containerPort":9,"protocol":"TCP"}': {},
      'k:{"containerPort":80,"protocol":"TCP"}': {},
      'v:9': {},
      'v:10': {},
      'v:"x"': {},
    }),
  );
  expect(equalSets(set, decodeFields(encodeFields(set)))).toBe(true);
});

test('paths read as in messages, those of one level first', () => {
  const set = decodeFields({
    'f:spec': {
      'f:list': { 'k:{"name":"c","port":80}': { '.': {}, 'f:image': {} }, 'v:"x"': {} },
      'f:z': {},
    },
  });
  expect(pathsOf(set).map(formatPath)).toEqual([
    '.spec.z',
    '.spec.list[name="c",port=80]',
    '.spec.list[="x"]',
    '.spec.list[name="c",port=80].image',
  ]);
});

test.each([{ x: {} }, { 'v:{': {} }, { 'k:1': {} }, { 'i:x': {} }, { 'f:a': 1 }])(
  '%j is malformed',
  (fields) => {
    expect(() => decodeFields(fields)).toThrow(/./);
  },
);
