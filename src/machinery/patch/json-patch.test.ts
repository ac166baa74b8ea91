import { assert, dictionary, integer, jsonValue, property, string } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { StatusError } from '../status-error.ts';
import { applyJsonPatch } from './json-patch.ts';
import { applyMergePatch } from './merge-patch.ts';

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof StatusError) return `${error.code} ${error.message}`;
    throw error;
  }
  return '';
}

describe('JSON patch', () => {
  const document = { data: { k: 'v', other: 'w' }, list: ['a', 'b'] };

  it.each([
    [
      'adds',
      { op: 'add', path: '/data/new', value: 'x' },
      { ...document, data: { ...document.data, new: 'x' } },
    ],
    ['adds into a list', { op: 'add', path: '/list/1', value: 'z' }, { ...document, list: ['a', 'z', 'b'] }],
    ['appends', { op: 'add', path: '/list/-', value: 'z' }, { ...document, list: ['a', 'b', 'z'] }],
    [
      'counts from the end',
      { op: 'replace', path: '/list/-1', value: 'z' },
      { ...document, list: ['a', 'z'] },
    ],
    ['removes', { op: 'remove', path: '/list/0' }, { ...document, list: ['b'] }],
    [
      'replaces what is absent',
      { op: 'replace', path: '/data/x', value: 1 },
      { ...document, data: { ...document.data, x: 1 } },
    ],
    [
      'moves',
      { op: 'move', from: '/data/k', path: '/data/m' },
      { ...document, data: { other: 'w', m: 'v' } },
    ],
    [
      'copies',
      { op: 'copy', from: '/list/0', path: '/data/k' },
      { ...document, data: { k: 'a', other: 'w' } },
    ],
    [
      'unescapes',
      { op: 'add', path: '/data/a~1b~01', value: 1 },
      { ...document, data: { ...document.data, 'a/b~1': 1 } },
    ],
    ['replaces all', { op: 'replace', path: '', value: {} }, {}],
    ['tests', { op: 'test', path: '/data/none', value: null }, document],
  ])('%s', (_name, operation, expected) => {
    const before = structuredClone(document);
    expect(applyJsonPatch(document, [operation])).toEqual(expected);
    expect(document).toEqual(before);
  });

  it.each([
    [{ op: 'add', path: '/none/x', value: 1 }],
    [{ op: 'add', path: '/list/9', value: 1 }],
    [{ op: 'remove', path: '/data/none' }],
    [{ op: 'remove', path: '/list/2' }],
    [{ op: 'replace', path: '/list/7', value: 1 }],
    [{ op: 'test', path: '/data/k', value: 'x' }],
    [{ op: 'merge', path: '/data/k', value: 'x' }],
    [{ op: 'add', path: '', value: {} }],
    [{ op: 'add', value: {} }],
  ])('%j does not apply', (operation) => {
    expect(codeOf(() => applyJsonPatch(document, [operation]))).toBe(
      '422 the server rejected our request due to an error in our request',
    );
  });

  it('refuses what is no list, and too many operations', () => {
    expect(codeOf(() => applyJsonPatch({}, {}))).toBe(
      '400 error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp',
    );
    const many = Array.from({ length: 10_001 }, () => ({ op: 'test', path: '/a', value: null }));
    expect(codeOf(() => applyJsonPatch({}, many))).toBe(
      '413 Request entity too large: The allowed maximum operations in a JSON patch is 10000, got 10001',
    );
  });

  it('treats __proto__ as a member like any other', () => {
    const patched = applyJsonPatch({ data: {} }, [{ op: 'add', path: '/data/__proto__', value: { x: 1 } }]);
    expect(JSON.stringify(patched)).toBe('{"data":{"__proto__":{"x":1}}}');
    expect(codeOf(() => applyJsonPatch({}, [{ op: 'remove', path: '/constructor' }]))).toMatch(/^422/);
  });
});

describe('JSON merge patch', () => {
  it.each([
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { a: null }, {}],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [1, 2] }, { a: [{ b: null, c: 1 }, null] }, { a: [{ c: 1 }, null] }],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ])('%j with %j', (document, patch, expected) => {
    expect(applyMergePatch(document, patch)).toEqual(expected);
  });

  it('refuses what is no object', () => {
    expect(codeOf(() => applyMergePatch({}, null))).toBe('400 Invalid JSON Patch');
    expect(codeOf(() => applyMergePatch({}, 5))).toBe(
      '400 error decoding patch: json: cannot unmarshal number into Go value of type map[string]interface {}',
    );
  });

  it('applied twice changes nothing more', () => {
    const objects = dictionary(string(), jsonValue());
    assert(
      property(objects, objects, (document, patch) => {
        const once = applyMergePatch(document, patch);
        expect(applyMergePatch(once, patch)).toEqual(once);
      }),
    );
  });

  it('keeps every member that the patch does not name', () => {
    assert(
      property(dictionary(string(), integer()), string(), (document, key) => {
        const patched = applyMergePatch(document, JSON.parse(`{${JSON.stringify(key)}:7}`));
        expect(Object.entries(patched).filter(([name]) => name !== key)).toEqual(
          Object.entries(document).filter(([name]) => name !== key),
        );
        expect(Object.hasOwn(patched, key)).toBe(true);
      }),
    );
  });
});
