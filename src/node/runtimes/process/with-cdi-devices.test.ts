import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { containerSpec } from '../runtime-specs.ts';
import { withCdiDevices } from './with-cdi-devices.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cdi-'));
  const devices = [
    {
      name: 'plain',
      containerEdits: {
        env: ['A=b=c'],
        deviceNodes: [{ path: '/dev/null' }],
        mounts: [{ hostPath: '/h', containerPath: '/c', options: ['ro'] }],
      },
    },
    { name: 'moved', containerEdits: { deviceNodes: [{ path: '/dev/x', hostPath: '/dev/null' }] } },
    { name: 'hooked', containerEdits: { hooks: [{ hookName: 'poststop', path: '/x' }] } },
  ];
  await writeFile(join(folder, 'a.json'), JSON.stringify({ cdiVersion: '0.6.0', kind: 'v.e/c', devices }));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const specWith = (name: string): ReturnType<typeof withCdiDevices> =>
  withCdiDevices({ ...containerSpec('/log'), cdi: { names: [`v.e/c=${name}`], folders: [folder] } });

it('gives a process the variables and mounts of its devices', async () => {
  const { env, mounts } = await specWith('plain');
  expect(env.at(-1)).toEqual({ name: 'A', value: 'b=c' });
  expect(mounts.at(-1)).toEqual({ hostPath: '/h', containerPath: '/c', readOnly: true });
});

it.each([
  ['moved', 'device /dev/null cannot be shown as /dev/x by the process runtime'],
  ['hooked', 'hooks are not run by the process runtime'],
])('refuses what a process cannot have: %s', async (name, message) => {
  await expect(specWith(name)).rejects.toThrow(`CDI device injection failed: ${message}`);
});
