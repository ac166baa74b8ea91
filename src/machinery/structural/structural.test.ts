import { beforeAll, describe, expect, it } from 'vitest';
import { kubernetesSchema } from '../schema/table.ts';
import { correlate } from './correlation.ts';
import { coerceEmbedded, validateEmbedded } from './embedded-meta.ts';
import { fillDefaults } from './fill-defaults.ts';
import { formatOf } from './formats.ts';
import { loadPatterns } from './patterns.ts';
import { pruneNulls, pruneUnknown } from './prune.ts';
import { structuralSchema, type SchemaProps } from './structural-schema.ts';
import { validateListTypes } from './validate-list-types.ts';
import { validateValue } from './validate-value.ts';

beforeAll(loadPatterns);

const object = (properties: Record<string, SchemaProps>, rest: SchemaProps = {}): SchemaProps => ({
  type: 'object',
  properties,
  ...rest,
});

describe('pruning', () => {
  const schema = structuralSchema(
    object({
      spec: object({
        known: { type: 'string' },
        open: object(
          { closed: object({ x: { type: 'string' } }) },
          { 'x-kubernetes-preserve-unknown-fields': true },
        ),
        map: { type: 'object', additionalProperties: object({ v: { type: 'string' } }) },
        list: { type: 'array', items: object({ n: { type: 'string' } }) },
      }),
    }),
  );

  it.each([
    ['an unknown field', { known: 'a', odd: 1 }, { known: 'a' }, ['spec.odd']],
    [
      'what is open stays, what is specified inside is pruned',
      { open: { any: 1, closed: { x: 'a', y: 1 } } },
      { open: { any: 1, closed: { x: 'a' } } },
      ['spec.open.closed.y'],
    ],
    ['values of maps', { map: { k: { v: '1', w: 2 } } }, { map: { k: { v: '1' } } }, ['spec.map.k.w']],
    [
      'items of lists',
      { list: [{ n: 'a' }, { n: 'b', m: 1 }] },
      { list: [{ n: 'a' }, { n: 'b' }] },
      ['spec.list[1].m'],
    ],
  ])('%s', (_name, spec, expected, unknown) => {
    const value = {
      apiVersion: 'a/v1',
      kind: 'A',
      metadata: { odd: 1 },
      spec: structuredClone(spec) as object,
    };
    expect(pruneUnknown(value, schema)).toEqual(unknown);
    expect(value).toEqual({ apiVersion: 'a/v1', kind: 'A', metadata: { odd: 1 }, spec: expected });
  });

  it('removes nulls that are neither admitted nor defaulted', () => {
    const nulls = structuralSchema(
      object({
        plain: { type: 'string' },
        nullable: { type: 'string', nullable: true },
        defaulted: { type: 'string', default: 'x' },
        map: { type: 'object', additionalProperties: { type: 'integer' } },
      }),
    );
    const value = { plain: null, nullable: null, defaulted: null, map: { a: null } };
    pruneNulls(value, nulls);
    expect(value).toEqual({ nullable: null, defaulted: null, map: {} });
  });
});

describe('defaults', () => {
  const schema = structuralSchema(
    object({
      a: { type: 'string', default: 'A' },
      nested: object({ b: { type: 'integer', default: 7 } }),
      made: object({ c: { type: 'integer', default: 5 } }, { default: {} }),
      list: { type: 'array', items: object({ port: { type: 'integer', default: 80 } }) },
    }),
  );

  it.each([
    ['fill what is absent, from the outside in', {}, { a: 'A', made: { c: 5 } }],
    ['fill objects that are there', { nested: {} }, { a: 'A', nested: { b: 7 }, made: { c: 5 } }],
    ['replace null', { a: null, made: null }, { a: 'A', made: { c: 5 } }],
    ['leave empty text', { a: '' }, { a: '', made: { c: 5 } }],
    [
      'fill items',
      { list: [{}, { port: 1 }] },
      { a: 'A', made: { c: 5 }, list: [{ port: 80 }, { port: 1 }] },
    ],
  ])('%s', (_name, value, expected) => {
    fillDefaults(value, schema);
    expect(value).toEqual(expected);
  });

  it('are copied', () => {
    const one: { made?: { c: number } } = {};
    const other: { made?: { c: number } } = {};
    fillDefaults(one, schema);
    if (one.made) one.made.c = 1;
    fillDefaults(other, schema);
    expect(other.made).toEqual({ c: 5 });
  });
});

describe('validation of values', () => {
  it.each<[string, SchemaProps, unknown, [string, string, string][]]>([
    [
      'a text that is too short',
      object({ s: { type: 'string', minLength: 2 } }),
      { s: 'a' },
      [['s', 'FieldValueInvalid', 'Invalid value: "a": s in body should be at least 2 chars long']],
    ],
    [
      'a text that is too long',
      object({ s: { type: 'string', maxLength: 2 } }),
      { s: 'abc' },
      [['s', 'FieldValueTooLong', 'Too long: may not be more than 2 bytes']],
    ],
    [
      'a pattern in Go syntax',
      object({ s: { type: 'string', pattern: '^\\d+%$' } }),
      { s: '5' },
      [['s', 'FieldValueInvalid', 'Invalid value: "5": s in body should match \'^\\d+%$\'']],
    ],
    [
      'a wrong type',
      object({ s: { type: 'string' } }),
      { s: [] },
      [['s', 'FieldValueTypeInvalid', 'Invalid value: "array": s in body must be of type string: "array"']],
    ],
    [
      'int or string',
      object({ p: { 'x-kubernetes-int-or-string': true } }),
      { p: {} },
      [
        [
          'p',
          'FieldValueTypeInvalid',
          'Invalid value: "object": p in body must be of type integer,string: "object"',
        ],
      ],
    ],
    [
      'a format',
      object({ d: { type: 'string', format: 'date' } }),
      { d: 'today' },
      [['d', 'FieldValueTypeInvalid', 'Invalid value: "today": d in body must be of type date: "today"']],
    ],
    [
      'a limit',
      object({ n: { type: 'integer', maximum: 10 } }),
      { n: 11 },
      [['n', 'FieldValueInvalid', 'Invalid value: 11: n in body should be less than or equal to 10']],
    ],
    [
      'a limit that is not reached',
      object({ n: { type: 'number', minimum: 0, exclusiveMinimum: true } }),
      { n: 0 },
      [['n', 'FieldValueInvalid', 'Invalid value: 0: n in body should be greater than 0']],
    ],
    [
      'a range',
      object({ n: { type: 'integer', format: 'int32' } }),
      { n: 2147483648 },
      [
        [
          '<nil>',
          'FieldValueInvalid',
          'Invalid value: "": Checked value must be of type integer with format int32 in n',
        ],
      ],
    ],
    [
      'a multiple',
      object({ n: { type: 'integer', multipleOf: 5 } }),
      { n: 7 },
      [['n', 'FieldValueInvalid', 'Invalid value: 7: n in body should be a multiple of 5']],
    ],
    [
      'a choice',
      object({ m: { type: 'string', enum: ['a', 'b'] } }),
      { m: 'A' },
      [['m', 'FieldValueNotSupported', 'Unsupported value: "A": supported values: "a", "b"']],
    ],
    [
      'items',
      object({ l: { type: 'array', items: { type: 'integer' } } }),
      { l: [1, 'x'] },
      [
        [
          'l[1]',
          'FieldValueTypeInvalid',
          'Invalid value: "string": l[1] in body must be of type integer: "string"',
        ],
      ],
    ],
    [
      'too many items',
      object({ l: { type: 'array', items: {}, maxItems: 1 } }),
      { l: [1, 2] },
      [['l', 'FieldValueTooMany', 'Too many: 2: must have at most 1 items']],
    ],
    [
      'too few members',
      object({ m: { type: 'object', minProperties: 1 } }),
      { m: {} },
      [['m', 'FieldValueInvalid', 'Invalid value: 0: m in body should have at least 1 properties']],
    ],
    [
      'a required field',
      object({ o: object({}, { required: ['x'] }) }),
      { o: {} },
      [['o.x', 'FieldValueRequired', 'Required value']],
    ],
    [
      'no alternative',
      object({ o: object({}, { anyOf: [{ required: ['a'] }, { required: ['b'] }] }) }),
      { o: {} },
      [
        ['<nil>', 'FieldValueInvalid', 'Invalid value: "": "o" must validate at least one schema (anyOf)'],
        ['o.a', 'FieldValueRequired', 'Required value'],
      ],
    ],
    [
      'two of one',
      object({ o: object({}, { oneOf: [{ required: ['a'] }, { required: ['b'] }] }) }),
      { o: { a: 1, b: 1 } },
      [
        [
          '<nil>',
          'FieldValueInvalid',
          'Invalid value: "": "o" must validate one and only one schema (oneOf). Found 2 valid alternatives',
        ],
      ],
    ],
    [
      'what must not be',
      object({ o: object({}, { not: { required: ['a'] } }) }),
      { o: { a: 1 } },
      [['<nil>', 'FieldValueInvalid', 'Invalid value: "": "o" must not validate the schema (not)']],
    ],
  ])('%s', (_name, schema, value, expected) => {
    expect(validateValue(value, schema)).toEqual(
      expected.map(([field, reason, message]) => ({ field, reason, message })),
    );
  });

  it('forgives what an update does not change', () => {
    const props = object({ a: { type: 'string', maxLength: 1 }, b: { type: 'string', maxLength: 1 } });
    const correlation = correlate({ a: 'long', b: 'new' }, { a: 'long', b: 'b' }, structuralSchema(props));
    expect(validateValue({ a: 'long', b: 'new' }, props, { correlation }).map(({ field }) => field)).toEqual([
      'b',
    ]);
  });

  it('pairs items of map lists by their keys', () => {
    const props = object({
      l: {
        type: 'array',
        items: object({ k: { type: 'string' }, v: { type: 'string', maxLength: 1 } }),
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['k'],
      },
    });
    const next = {
      l: [
        { k: 'b', v: 'b' },
        { k: 'a', v: 'long' },
      ],
    };
    const correlation = correlate(next, { l: [{ k: 'a', v: 'long' }] }, structuralSchema(props));
    expect(validateValue(next, props, { correlation })).toEqual([]);
  });

  it('matches hostile patterns in linear time', () => {
    const schema = object({ s: { type: 'string', pattern: '^(a+)+$' } });
    expect(validateValue({ s: `${'a'.repeat(5000)}!` }, schema)).toHaveLength(1);
  });
});

describe('list types', () => {
  const schema = structuralSchema(
    object({
      set: { type: 'array', items: { type: 'string' }, 'x-kubernetes-list-type': 'set' },
      map: {
        type: 'array',
        items: object({ k: { type: 'string' } }),
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['k'],
      },
    }),
  );
  it.each([
    ['a set', { set: ['a', 'b', 'a'] }, 'set[2]', 'Duplicate value: "a"'],
    ['a map list', { map: [{ k: 'a' }, { k: 'a', v: 1 }] }, 'map[1]', 'Duplicate value: {"k":"a"}'],
    [
      'an item that is no object',
      { map: ['a'] },
      'map[0]',
      'Invalid value: "a": must be an object for an array of list-type map',
    ],
  ])('%s', (_name, value, field, message) => {
    expect(validateListTypes(value, schema, '').map((error) => [error.field, error.message])).toEqual([
      [field, message],
    ]);
  });
});

describe('embedded resources', () => {
  const schema = structuralSchema(
    object({
      e: {
        type: 'object',
        'x-kubernetes-embedded-resource': true,
        'x-kubernetes-preserve-unknown-fields': true,
      },
    }),
  );
  const table = kubernetesSchema();
  it('must say what they are', () => {
    const errors = validateEmbedded({ e: { kind: 'Pod' } }, schema, { path: '', table });
    expect(errors).toEqual([
      { field: 'e.apiVersion', reason: 'FieldValueRequired', message: 'Required value' },
    ]);
  });
  it('have metadata of its own schema', () => {
    const value = { e: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'x', bogus: 1 }, spec: {} } };
    expect(coerceEmbedded(value, schema, { table, malformed: 'throw' })).toEqual(['e.metadata.bogus']);
    expect(value.e.metadata).toEqual({ name: 'x' });
  });
});

describe('formats', () => {
  it.each([
    ['date-time', '2024-01-02T03:04:05Z', '2024-01-02 03:04:05'],
    ['duration', '1h5s', '5'],
    ['ipv4', '10.0.0.1', '::1'],
    ['cidr', '10.0.0.0/8', '10.0.0.1'],
    ['uri', 'https://example.com/x', 'nothing at all'],
    ['uuid', '11111111-2222-4333-8444-555555555555', '1111'],
    ['byte', 'YWJj', 'a'],
    ['mac', '01:02:03:04:05:06', '01:02'],
    ['hostname', 'a.example.com', 'a_b!'],
    ['email', 'a@example.com', 'a'],
    ['isbn13', '9780306406157', '9780306406158'],
  ])('%s', (name, good, bad) => {
    expect([formatOf(name)?.(good), formatOf(name)?.(bad)]).toEqual([true, false]);
  });
});
