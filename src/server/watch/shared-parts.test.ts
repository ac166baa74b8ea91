import { describe, expect, it } from 'vitest';
import { SharedParts } from './shared-parts.ts';

const pod = (name: string, phase = 'Running'): Record<string, Record<string, unknown>> => ({
  metadata: { name, owners: [{ fields: { 'f:spec': { 'f:image': {} }, 'f:status': {} } }] },
  spec: { containers: [{ name: 'main', ports: [80, 443], tty: false, stdin: null }] },
  status: { phase, conditions: [{ type: 'Ready', status: 'True' }] },
});

describe('SharedParts', () => {
  it('leaves an object as it was, frozen in every part', () => {
    const parts = new SharedParts();
    parts.freeze(pod('a'));
    const frozen = parts.freeze(pod('b'));
    expect(frozen).toEqual(pod('b'));
    const every = (value: unknown): boolean =>
      typeof value !== 'object' ||
      value === null ||
      (Object.isFrozen(value) && Object.values(value).every(every));
    expect(every(frozen)).toBe(true);
  });

  it('lets later objects have the equal parts of earlier ones, and the others to themselves', () => {
    const parts = new SharedParts();
    const a = parts.freeze(pod('a'));
    const b = parts.freeze(pod('b', 'Failed'));
    expect(b['spec']).toBe(a['spec']);
    expect(b['metadata']?.['owners']).toBe(a['metadata']?.['owners']);
    expect(b['status']?.['conditions']).toBe(a['status']?.['conditions']);
    expect(b['status']).not.toBe(a['status']);
    expect(b['metadata']).not.toBe(a['metadata']);
  });

  it.each<[string, object, object]>([
    ['the order of names', { a: 1, b: 1 }, { b: 1, a: 1 }],
    ['the sign of zero', { a: 0 }, { a: -0 }],
    ['a list and an object', [], {}],
    ['a prefix', ['a'], ['a', 'b']],
    ['absent and undefined', {}, { a: undefined }],
    ['a number and its text', { a: 1 }, { a: '1' }],
    ['values with a prototype of their own', new Date(0), new Date(1)],
  ])('does not confuse objects that differ in %s', (_, one, other) => {
    const parts = new SharedParts();
    const first = parts.freeze({ part: one });
    const second = parts.freeze({ part: other });
    expect(second.part).toBe(other);
    expect(first.part).toBe(one);
  });

  it('takes parts that are frozen already as they are', () => {
    const parts = new SharedParts();
    const first = parts.freeze({ part: { list: [{ a: 'x' }] } });
    const second = parts.freeze({ part: Object.freeze({ list: first.part.list }) });
    expect(second.part).toBe(first.part);
  });
});
