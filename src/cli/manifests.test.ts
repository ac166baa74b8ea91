import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadManifests, type LoadOptions, type Manifest } from './manifests.ts';
import { toCompactJson } from '../machinery/json/to-json.ts';
import { testContext } from './testing/test-cluster.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kanoe-manifests-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

function load(paths: readonly string[], options?: LoadOptions, stdin: string = ''): Promise<Manifest[]> {
  return loadManifests(paths, { ...testContext(directory), stdin: Readable.from([stdin]) }, options);
}

function configMap(name: string): string {
  return `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\n`;
}

function names(manifests: readonly Manifest[]): string[] {
  return manifests.map(({ object, file, line }) => `${object.metadata.name} ${file}:${line}`);
}

async function messageOf(text: string, options?: LoadOptions): Promise<string> {
  return load(['-'], options, text).then(
    () => 'none',
    (error: Error) => error.message,
  );
}

describe('the manifests of', () => {
  it('a file are its documents', async () => {
    await writeFile(join(directory, 'any.name'), `${configMap('a')}---\n# nothing\n---\n${configMap('b')}`);
    expect(names(await load(['any.name']))).toEqual(['a any.name:1', 'b any.name:6']);
  });

  it('a folder are those of its files, in the order of their names', async () => {
    await mkdir(join(directory, 'all/deeper'), { recursive: true });
    await writeFile(join(directory, 'all/2.yml'), configMap('two'));
    await writeFile(join(directory, 'all/1.yaml'), configMap('one'));
    await writeFile(
      join(directory, 'all/3.json'),
      '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"three"}}',
    );
    await writeFile(join(directory, 'all/README.md'), 'no manifest');
    await writeFile(join(directory, 'all/deeper/4.yaml'), configMap('four'));
    expect(names(await load(['all']))).toEqual(['one all/1.yaml:1', 'two all/2.yml:1', 'three all/3.json:1']);
    expect(names(await load(['all'], { recursive: true }))).toContain('four all/deeper/4.yaml:1');
  });

  it('standard input and a List are its items', async () => {
    const list = `apiVersion: v1\nkind: List\nitems:\n- ${configMap('a').trim().replaceAll('\n', '\n  ')}\n`;
    expect(names(await load(['-'], {}, list))).toEqual(['a -:1']);
  });
});

describe('a mistake is told with its file and line:', () => {
  it.each<[string, string, string]>([
    ['malformed YAML', `${configMap('a')}data:\n  x: [1\n`, 'yaml: line 6'],
    ['an unknown field', `${configMap('a')}dta: {}\n`, '-:4: ConfigMap "a": unknown field "dta"'],
    [
      'an unknown field of a later document',
      `${configMap('a')}---\n${configMap('b')}data:\n  x: "1"\nmore: 1\n`,
      '-:10: ConfigMap "b": unknown field "more"',
    ],
    ['a repeated field', `${configMap('a')}data: {}\ndata: {}\n`, '-:5: key "data" already set in map'],
    [
      'a repeated field of JSON',
      '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},\n"data":{},\n"data":{}}',
      '-:3: duplicate field "data"',
    ],
    [
      'a value of the wrong type',
      `${configMap('a')}data:\n  x: 1\n`,
      '-:4: ConfigMap "a": json: cannot unmarshal number into Go struct field ConfigMap.data of type string',
    ],
    ['no kind', 'metadata: {name: a}\napiVersion: v1\n', '-:1: kind not set'],
    ['no name', 'apiVersion: v1\nkind: ConfigMap\nmetadata: {}\n', 'resource name may not be empty'],
    ['a list instead of an object', '- a\n', 'a manifest must be an object'],
  ])('%s', async (_name, text, message) => {
    expect(await messageOf(text)).toContain(message);
  });

  it('all mistakes at once', async () => {
    const message = await messageOf(`${configMap('a')}x: 1\n---\n${configMap('b')}z: 1\n`);
    expect(message.split('\n')).toEqual([
      '-:4: ConfigMap "a": unknown field "x"',
      '-:9: ConfigMap "b": unknown field "z"',
    ]);
  });

  it('an item of a List', async () => {
    const list =
      'apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Pod\n  metadata: {name: p}\n  spec:\n    containers:\n    - name: a\n      imag: b\n';
    expect(await messageOf(list)).toBe('-:10: Pod "p": unknown field "spec.containers[0].imag"');
  });

  it.each(['nothing.yaml', 'empty'])('the path %s', async (path) => {
    await mkdir(join(directory, 'empty'));
    await expect(load([path])).rejects.toThrow(/does not exist|holds no/);
  });
});

it('unknown fields pass when nobody minds, and integers beyond 2^53 and __proto__ are kept', async () => {
  const text = `${configMap('a')}more: 9007199254740993\ndata: {__proto__: "x"}\n`;
  const objects = (await load(['-'], { validation: 'ignore' }, text)).map(({ object }) => object);
  expect(objects).toMatchObject([{ more: 9007199254740993n }]);
  expect(objects.map(toCompactJson)).toEqual([expect.stringContaining('"data":{"__proto__":"x"}')]);
});
