import { expect, it } from 'vitest';
import { validateStructural } from './structural-validation.ts';
import type { JSONSchemaProps } from './v1.gen.ts';

const text: JSONSchemaProps = { type: 'string' };

it.each<[string, JSONSchemaProps, readonly string[]]>([
  [
    'a property of a condition',
    { type: 'object', properties: { a: text }, anyOf: [{ properties: { b: { maxLength: 1 } } }] },
    ['s.properties[b]: because it is defined in s.anyOf[0].properties[b]'],
  ],
  [
    'items of a condition, and of a negation',
    {
      type: 'object',
      properties: { a: { type: 'array', items: { type: 'object', properties: { x: text } } } },
      allOf: [{ properties: { a: { items: { properties: { y: { maxLength: 1 } } } } } }],
      not: { properties: { z: { maxLength: 1 } } },
    },
    [
      's.properties[a].items.properties[y]: because it is defined in s.allOf[0].properties[a].items.properties[y]',
      's.properties[z]: because it is defined in s.not.properties[z]',
    ],
  ],
  [
    'items of what is no list',
    {
      type: 'object',
      properties: { a: text },
      oneOf: [{ properties: { a: { items: { maxLength: 1 } } } }],
    },
    ['s.properties[a].items: because it is defined in s.oneOf[0].properties[a].items'],
  ],
])('misses in the structure %s', (_, schema, expected) => {
  const errors = validateStructural(schema, 's');
  expect(errors.map(({ field, message }) => `${field}: ${message.replace('Required value: ', '')}`)).toEqual(
    expected,
  );
});
