import { beforeAll, describe, expect, it } from 'vitest';
import { celBase } from '../cel/environment.ts';
import { correlate } from '../structural/correlation.ts';
import { loadPatterns } from '../structural/patterns.ts';
import { structuralSchema } from '../structural/structural-schema.ts';
import type { SchemaProps } from '../structural/structural-schema.ts';
import { ruleCompiler } from './evaluate-rules.ts';
import { resolveFieldPath } from './rule-field-path.ts';
import { ruleCompileErrors, ruleShapeErrors } from './rule-definition-errors.ts';

beforeAll(loadPatterns);

const base = celBase();

function withSpec(properties: Readonly<Record<string, SchemaProps>>): SchemaProps {
  return { type: 'object', properties: { spec: { type: 'object', properties } } };
}

function definitionErrors(properties: Readonly<Record<string, SchemaProps>>): string[] {
  const root = structuralSchema(withSpec(properties));
  const shape = ruleShapeErrors(root, 'S');
  const errors = shape.length > 0 ? shape : ruleCompileErrors(root, 'S', { base: () => base, checks: 'all' });
  return errors.map(
    ({ field, message }) => `${field.replace('S.properties[spec].properties', '')}: ${message}`,
  );
}

const text = { type: 'string', maxLength: 10 };
const TRY =
  '(try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)';

describe('rules of a definition', () => {
  it.each<[string, SchemaProps, string[]]>([
    ['a good rule', { ...text, 'x-kubernetes-validations': [{ rule: "self != ''" }] }, []],
    [
      'a blank rule',
      { ...text, 'x-kubernetes-validations': [{ rule: ' ' }] },
      ['[a].x-kubernetes-validations[0].rule: Required value: rule is not specified'],
    ],
    [
      'a reason that does not exist',
      { ...text, 'x-kubernetes-validations': [{ rule: 'true', reason: 'Odd' }] },
      [
        '[a].x-kubernetes-validations[0].reason: Unsupported value: "Odd": supported values: "FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"',
      ],
    ],
    [
      'a rule that is no condition',
      { ...text, 'x-kubernetes-validations': [{ rule: 'self.size()' }] },
      [
        '[a].x-kubernetes-validations[0].rule: Invalid value: {"Rule":"self.size()","Message":"","MessageExpression":"","Reason":null,"FieldPath":"","OptionalOldSelf":null}: cel expression must evaluate to a bool',
      ],
    ],
    [
      'an old value where items cannot be paired',
      {
        type: 'array',
        maxItems: 2,
        items: { ...text, 'x-kubernetes-validations': [{ rule: 'self == oldSelf' }] },
      },
      [
        '[a].items.x-kubernetes-validations[0].rule: Invalid value: "self == oldSelf": oldSelf cannot be used on the uncorrelatable portion of the schema within S.properties[spec].properties[a]',
      ],
    ],
    [
      'an optional old value that is not used',
      { ...text, 'x-kubernetes-validations': [{ rule: "self != ''", optionalOldSelf: true }] },
      [
        '[a].x-kubernetes-validations[0].optionalOldSelf: Invalid value: true: may not be set if oldSelf is not used in rule',
      ],
    ],
    [
      'nested loops over lists without bounds',
      {
        type: 'array',
        items: { type: 'string' },
        'x-kubernetes-validations': [{ rule: 'self.all(x, self.all(y, x == y))' }],
      },
      [
        `[a].x-kubernetes-validations[0].rule: Forbidden: estimated rule cost exceeds budget by factor of more than 100x ${TRY}`,
        '[a].x-kubernetes-validations[0].rule: Forbidden: contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema',
        `S: Forbidden: x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema exceeds budget by factor of more than 100x ${TRY}`,
      ],
    ],
    [
      'a path that leads nowhere',
      {
        type: 'object',
        properties: { x: text },
        'x-kubernetes-validations': [{ rule: 'true', fieldPath: '.y' }],
      },
      ['[a].x-kubernetes-validations[0].fieldPath: Invalid value: ".y": must be a valid path'],
    ],
  ])('%s', (_name, schema, expected) => {
    expect(definitionErrors({ a: schema })).toEqual(expected);
  });

  it.each<[number, number]>([
    [16, 909_090],
    [63, 333_333],
    [253, 94_339],
    [1024, 24_154],
  ])('bounds a loop over texts of %i characters at %i items', (maxLength, most) => {
    const list = (maxItems: number): SchemaProps => ({
      type: 'array',
      maxItems,
      items: { type: 'string', maxLength },
      'x-kubernetes-validations': [{ rule: "self.all(x, x.contains('gpu'))" }],
    });
    expect(definitionErrors({ a: list(most - 2) })).toEqual([]);
    expect(definitionErrors({ a: list(most + 2) })).not.toEqual([]);
  });
});

describe('rules of an object', () => {
  const root = structuralSchema({
    ...withSpec({
      fixed: {
        ...text,
        'x-kubernetes-validations': [{ rule: 'self == oldSelf', message: 'may not change' }],
      },
      span: {
        type: 'object',
        properties: { low: { type: 'integer' }, high: { type: 'integer' } },
        'x-kubernetes-validations': [
          {
            rule: 'self.low <= self.high',
            message: 'low above high',
            reason: 'FieldValueForbidden',
            fieldPath: '.low',
          },
        ],
      },
      parts: {
        type: 'array',
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['name'],
        items: {
          type: 'object',
          properties: {
            name: text,
            size: {
              type: 'integer',
              'x-kubernetes-validations': [{ rule: 'self >= oldSelf', message: 'shrinks' }],
            },
          },
        },
      },
      first: {
        ...text,
        'x-kubernetes-validations': [
          {
            rule: "oldSelf.hasValue() || self == 'first'",
            optionalOldSelf: true,
            messageExpression: "'not ' + self",
          },
        ],
      },
      'dashed-name': { ...text, 'x-kubernetes-validations': [{ rule: "self.matches('^[a-z]+$')" }] },
    }),
    'x-kubernetes-validations': [{ rule: 'self.metadata.name.size() < 5', message: 'name too long' }],
  });
  const rules = ruleCompiler()(root);

  function violations(spec: unknown, oldSpec?: unknown): { errors: string[]; warnings: string[] } {
    const object = { metadata: { name: 'a' }, spec };
    const warnings: string[] = [];
    const old = oldSpec === undefined ? {} : { oldObject: { metadata: { name: 'a' }, spec: oldSpec } };
    const correlation = old.oldObject && { correlation: correlate(object, old.oldObject, root) };
    const errors = rules?.validate({
      object,
      ...old,
      ...correlation,
      warn: (warning) => warnings.push(warning),
    });
    if (errors instanceof Promise) throw new Error('there is nowhere else to evaluate');
    return { errors: (errors ?? []).map(({ field, message }) => `${field}: ${message}`), warnings };
  }

  it.each<[string, unknown, unknown, string[]]>([
    ['a good object', { fixed: 'x', span: { low: 1, high: 2 } }, undefined, []],
    ['a transition', { fixed: 'y' }, { fixed: 'x' }, ['spec.fixed: Invalid value: "y": may not change']],
    [
      'a reason and a path',
      { span: { low: 3, high: 2 } },
      undefined,
      ['spec.span.low: Forbidden: low above high'],
    ],
    [
      'a missing field',
      { span: { low: 3 } },
      undefined,
      ['spec.span: Invalid value: "object": no such key: high evaluating rule: low above high'],
    ],
    [
      'items paired by key',
      {
        parts: [
          { name: 'b', size: 5 },
          { name: 'a', size: 1 },
        ],
      },
      {
        parts: [
          { name: 'a', size: 2 },
          { name: 'b', size: 5 },
        ],
      },
      ['spec.parts[1].size: Invalid value: 1: shrinks'],
    ],
    [
      'an optional old value',
      { first: 'other' },
      undefined,
      ['spec.first: Invalid value: "other": not other'],
    ],
    ['an optional old value that is there', { first: 'other' }, { first: 'x' }, []],
    [
      'a pattern at a name with a dash',
      { 'dashed-name': 'A' },
      undefined,
      [`spec.dashed-name: Invalid value: "A": failed rule: self.matches('^[a-z]+$')`],
    ],
  ])('%s', (_name, spec, oldSpec, expected) => {
    expect(violations(spec, oldSpec).errors).toEqual(expected);
  });

  it('only warns of what an update left as it was', () => {
    const spec = { span: { low: 3, high: 2 }, fixed: 'x' };
    expect(violations(spec, { ...spec, fixed: 'x' })).toEqual({
      errors: [],
      warnings: ['spec.span.low: Forbidden: low above high'],
    });
  });
});

describe('paths of fields', () => {
  const schema = structuralSchema(withSpec({ m: { type: 'object', additionalProperties: text } }));
  it.each([
    ['.spec.m', 'spec.m'],
    [".spec['m']", 'spec.m'],
    ['.spec.m.key', 'spec.m[key]'],
    ['spec', 'expected [ or . but got: spec'],
    ['.none', 'does not refer to a valid field'],
    ['.', 'unexpected end of JSON path'],
    ['.spec[0]', 'expected single quoted string but got 0'],
  ])('%s', (path, expected) => {
    const resolved = resolveFieldPath(path, schema);
    expect('path' in resolved ? resolved.path : resolved.error).toBe(expected);
  });
});
