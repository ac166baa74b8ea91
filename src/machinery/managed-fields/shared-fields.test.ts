import { describe, expect, it } from 'vitest';
import { sharedForm } from './shared-fields.ts';

describe('sharedForm', () => {
  it('is the same object for the same fields, and equal to what was read', () => {
    const fields = { 'f:spec': { '.': {}, 'k:{"name":"c"}': { 'f:image': {} } } };
    const copy = JSON.parse(JSON.stringify(fields)) as unknown;
    expect(sharedForm(copy)?.object).toBe(sharedForm(fields)?.object);
    expect(sharedForm(fields)?.object).toEqual(fields);
  });

  it('keeps the order of members apart', () => {
    expect(Object.keys(sharedForm({ 'f:b': {}, 'f:a': {} })?.object ?? {})).toEqual(['f:b', 'f:a']);
  });

  it.each([[null], ['f:a'], [{ 'f:a': 1 }], [{ 'f:a': [] }]])('knows no fields in %j', (value) => {
    expect(sharedForm(value)).toBeUndefined();
  });
});
