import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CdiEdits } from './cdi-spec.ts';
import { resolveCdiDevices } from './resolve-cdi-devices.ts';

let directory: string;
const files: Readonly<Record<string, string | object>> = {
  'low/a.yaml': `
cdiVersion: "0.6.0"
kind: vendor.example/gpu
containerEdits: { env: [ALL=1] }
devices:
- { name: one, containerEdits: { env: [ONE=1], deviceNodes: [{ path: /dev/one }] } }
- { name: two, containerEdits: { mounts: [{ hostPath: /h, containerPath: /c }], additionalGids: [0, 7] } }
- { name: high, containerEdits: { env: [FROM=low] } }
- { name: bad, containerEdits: { hooks: [{ hookName: never, path: /x }] } }
`,
  'high/a.json': spec('vendor.example/gpu', { high: { env: ['FROM=high'] } }),
  'high/b.json': spec('vendor.example/nic', { twice: { env: ['B=1'] } }),
  'high/c.json': spec('vendor.example/nic', { twice: { env: ['C=1'] } }),
  'high/broken.json': '{',
  'high/other.txt': 'nothing',
};

function spec(kind: string, devices: Readonly<Record<string, CdiEdits>>): object {
  return {
    cdiVersion: '1.0.0',
    kind,
    devices: Object.entries(devices).map(([name, containerEdits]) => ({ name, containerEdits })),
  };
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'cdi-'));
  for (const folder of ['low', 'high']) await mkdir(join(directory, folder));
  for (const [file, content] of Object.entries(files))
    await writeFile(join(directory, file), typeof content === 'string' ? content : JSON.stringify(content));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const edits = { env: [], deviceNodes: [], mounts: [], hooks: [], additionalGids: [] };
const saying = (words: string): unknown => expect.stringContaining(words);
const rows: readonly (readonly [string, readonly string[], unknown])[] = [
  [
    'brings what all devices of the file bring, once',
    ['vendor.example/gpu=one', 'vendor.example/gpu=two'],
    {
      ...edits,
      env: ['ALL=1', 'ONE=1'],
      deviceNodes: [{ path: '/dev/one' }],
      mounts: [{ hostPath: '/h', containerPath: '/c' }],
      additionalGids: [7],
    },
  ],
  [
    'is taken from the folder that counts more',
    ['vendor.example/gpu=high'],
    { ...edits, env: ['FROM=high'] },
  ],
  ['must be there', ['vendor.example/gpu=no'], saying('unresolvable CDI devices vendor.example/gpu=no')],
  [
    'must be there once',
    ['vendor.example/nic=twice'],
    saying('unresolvable CDI devices vendor.example/nic=twice'),
  ],
  [
    'must make sense',
    ['vendor.example/gpu=bad'],
    saying('invalid container edits: invalid hook name "never"'),
  ],
];

describe('a CDI device', () => {
  it.each(rows)('%s', async (_name, names, expected) => {
    const folders = ['missing', 'low', 'high'].map((folder) => join(directory, folder));
    const result = await resolveCdiDevices({ names, folders }).catch((error: Error) => error.message);
    expect(result).toEqual(expected);
  });
});
