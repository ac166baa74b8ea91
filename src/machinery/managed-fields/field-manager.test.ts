import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ManagedFieldsEntry } from '../meta/v1.gen.ts';
import type { Structure } from '../structure/structure.ts';
import { fieldSetOf } from './field-set-of.ts';
import { pathsOf } from './field-set.ts';
import { decodeFields } from './fields-v1.ts';
import { managedAfterUpdate, managedApply, type ManagedWrite } from './field-manager.ts';
import { formatPath } from './path-element.ts';
import type { Versions } from './updater.ts';

const scalar: Structure = { type: 'scalar' };
const map = (members: Readonly<Record<string, Structure>>): Structure => ({
  type: 'map',
  atomic: false,
  member: (name) => members[name],
  declares: (name) => Object.hasOwn(members, name),
});
const entries: Structure = { type: 'map', atomic: false, member: () => scalar, declares: () => false };
const structure = map({
  apiVersion: scalar,
  kind: scalar,
  metadata: map({ name: scalar, labels: entries, annotations: entries }),
  x: scalar,
  y: scalar,
  data: entries,
  set: { type: 'list', list: 'set', items: scalar },
  whole: { type: 'list', list: 'atomic', items: scalar },
  parts: {
    type: 'list',
    list: 'map',
    keys: ['id'],
    keyDefaults: {},
    items: map({ id: scalar, a: scalar, b: scalar }),
  },
});

const versions: Versions = {
  structure: (apiVersion) => (apiVersion === 'v1' ? structure : undefined),
  empty: () => ({ apiVersion: 'v1', kind: 'Thing' }),
  convert: (value) => Promise.resolve(value),
  filter: (set) => set,
};

interface Thing {
  readonly value: unknown;
  readonly fields: readonly ManagedFieldsEntry[] | undefined;
}

const nothing: Thing = { value: { apiVersion: 'v1', kind: 'Thing' }, fields: undefined };
let second = 0;

function writeOf(thing: Thing, manager: string): ManagedWrite {
  second = (second + 1) % 60;
  const now = `2026-01-01T00:00:${String(second).padStart(2, '0')}Z`;
  return { versions, apiVersion: 'v1', manager, now, live: thing.value, liveFields: thing.fields };
}

function whole(body: object): Readonly<Record<string, unknown>> {
  return { apiVersion: 'v1', kind: 'Thing', metadata: { name: 'x' }, ...body };
}

async function update(thing: Thing, manager: string, body: object): Promise<Thing> {
  const value = whole(body);
  return { value, fields: await managedAfterUpdate(writeOf(thing, manager), value, thing.fields) };
}

async function apply(thing: Thing, manager: string, body: object, force = false): Promise<Thing> {
  const patch = { config: whole(body), kind: 'Thing', force };
  const { object, managedFields } = await managedApply(writeOf(thing, manager), patch);
  return { value: object, fields: managedFields };
}

function owners({ fields }: Thing): Record<string, unknown> {
  return Object.fromEntries(
    (fields ?? []).map(({ manager, operation, fieldsV1 }) => [`${manager} ${operation}`, fieldsV1]),
  );
}

test('what a manager applies no longer goes, unless somebody else owns it', async () => {
  const first = await apply(nothing, 'one', { data: { a: '1', b: '1' } });
  const shared = await apply(first, 'two', { data: { b: '1' } });
  const left = await apply(shared, 'one', { data: {} });
  expect(left.value).toMatchObject({ data: { b: '1' } });
  expect(owners(left)).toEqual({
    'one Apply': { 'f:data': {} },
    'two Apply': { 'f:data': { 'f:b': {} } },
  });
});

test('a conflict names the managers and their fields; force takes them', async () => {
  const first = await apply(nothing, 'one', { data: { a: '1' } });
  const both = await update(first, 'two', { data: { a: '1', b: '1' } });
  const third = { data: { a: '2', b: '2' } };
  await expect(apply(both, 'three', third)).rejects.toThrow(
    'Apply failed with 2 conflicts: conflicts with "one":\n- .data.a\nconflicts with "two" using v1:\n- .data.b',
  );
  expect(owners(await apply(both, 'three', third, true))).toEqual({
    'three Apply': { 'f:data': { 'f:a': {}, 'f:b': {} } },
  });
});

test('an apply that changes nothing keeps its time', async () => {
  const first = await apply(nothing, 'one', { data: { a: '1' } });
  expect((await apply(first, 'one', { data: { a: '1' } })).fields).toEqual(first.fields);
});

test('what nobody tracked belongs to before-first-apply', async () => {
  const untracked = { value: whole({ data: { a: '1' } }), fields: [] };
  expect((await update(untracked, 'one', { data: { a: '2' } })).fields).toEqual([]);
  expect(owners(await apply(untracked, 'one', { data: { b: '1' } }))).toEqual({
    'before-first-apply Update': { 'f:data': { '.': {}, 'f:a': {} } },
    'one Apply': { 'f:data': { 'f:b': {} } },
  });
});

test('an eleventh updater joins the oldest ones', async () => {
  let thing: Thing = nothing;
  const data: Record<string, string> = {};
  for (let count = 0; count < 12; count++) {
    data[`k${count}`] = '1';
    thing = await update(thing, `m${String(count).padStart(2, '0')}`, { data: { ...data } });
  }
  expect(thing.fields).toHaveLength(10);
  expect(owners(thing)['ancient-changes Update']).toEqual({
    'f:data': { '.': {}, 'f:k0': {}, 'f:k1': {}, 'f:k2': {} },
  });
});

test('kubectl takes over what its client-side apply wrote', async () => {
  const applied = JSON.stringify(whole({ data: { a: '1' } }));
  const annotations = { 'kubectl.kubernetes.io/last-applied-configuration': applied };
  const metadata = { name: 'x', annotations };
  const live = await update(nothing, 'kubectl-client-side-apply', { metadata, data: { a: '1' } });
  const taken = await apply(live, 'kubectl', { data: { a: '2' } });
  expect(taken.value).toMatchObject({
    data: { a: '2' },
    metadata: {
      annotations: {
        'kubectl.kubernetes.io/last-applied-configuration':
          '{"apiVersion":"v1","data":{"a":"2"},"kind":"Thing","metadata":{"name":"x"}}\n',
      },
    },
  });
  await expect(apply(live, 'other', { data: { a: '2' } })).rejects.toThrow('1 conflict');
});

const letter = fc.constantFrom('a', 'b', 'c');
const body = fc.record(
  {
    x: fc.constantFrom(1, 2),
    y: fc.constantFrom(1, 2),
    data: fc.dictionary(letter, fc.constantFrom('1', '2'), { minKeys: 1 }),
    set: fc.uniqueArray(letter, { minLength: 1 }),
    whole: fc.array(letter, { minLength: 1, maxLength: 2 }),
    parts: fc.uniqueArray(
      fc.record({ id: letter, a: fc.constantFrom(1, 2), b: fc.constantFrom(1, 2) }, { requiredKeys: ['id'] }),
      { minLength: 1, selector: ({ id }) => id },
    ),
  },
  { requiredKeys: [] },
);
const step = fc.record({
  manager: fc.constantFrom('one', 'two', 'three'),
  how: fc.constantFrom('apply', 'update'),
  body,
});

async function played(steps: readonly { manager: string; how: string; body: object }[]): Promise<Thing> {
  let thing: Thing = nothing;
  for (const { manager, how, body: sent } of steps)
    thing = how === 'apply' ? await apply(thing, manager, sent, true) : await update(thing, manager, sent);
  return thing;
}

test('applying again what was applied changes neither the object nor its owners', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 5 }), body, async (steps, config) => {
      const once = await apply(await played(steps), 'one', config, true);
      const twice = await apply(once, 'one', config);
      expect(twice.value).toEqual(once.value);
      expect(twice.fields).toEqual(once.fields);
    }),
  );
});

test('every owned field is one of the object and has one updater at most', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 6 }), async (steps) => {
      const thing = await played(steps);
      const updaters = new Map<string, string>();
      for (const { manager = '', operation, fieldsV1 } of thing.fields ?? []) {
        const paths = pathsOf(decodeFields(fieldsV1)).map(formatPath);
        expect(paths).not.toEqual([]);
        for (const path of paths) expect(isThere(thing.value, path)).toBe(true);
        if (operation === 'Apply') continue;
        for (const path of paths) {
          expect(updaters.get(path) ?? manager).toBe(manager);
          updaters.set(path, manager);
        }
      }
    }),
  );
});

/** The fields of the object, with the members and items that lead to them. */
function isThere(value: unknown, path: string): boolean {
  const all = pathsOf(fieldSetOf(value, structure)).map(formatPath);
  return all.some((known) => known === path || known.startsWith(`${path}.`) || known.startsWith(`${path}[`));
}
