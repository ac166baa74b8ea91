import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { systemClock } from '../../base/clock.ts';
import type { ContainerRuntime, ContainerStatus } from '../container-runtime.ts';
import { FakeRuntime } from '../testing/fake-runtime.ts';
import { rotateLogs } from './rotate-logs.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kanoe-logs-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const clock = { ...systemClock, now: () => Date.UTC(2026, 0, 2, 3, 4, 5) };

function runtimeWith(
  state: ContainerStatus['state'],
  reopenLog: (id: string) => Promise<void>,
): ContainerRuntime {
  const status = { id: 'c', state, logPath: join(folder, '0.log') } as ContainerStatus;
  return Object.assign(new FakeRuntime(clock), { listContainers: async () => [status], reopenLog });
}

it('gives a log that is too large another name and has a new one begun', async () => {
  writeFileSync(join(folder, '0.log'), 'x'.repeat(20));
  for (const day of ['01', '02', '03']) writeFileSync(join(folder, `0.log.202512${day}-000000`), day);
  const runtime = runtimeWith('running', async () => writeFileSync(join(folder, '0.log'), ''));
  await rotateLogs({ runtime, clock, maxBytes: 10, maxFiles: 3 });
  expect(readdirSync(folder).sort()).toEqual(['0.log', '0.log.20251203-000000', '0.log.20260102-030405']);
  expect(readFileSync(join(folder, '0.log.20260102-030405'), 'utf8')).toHaveLength(20);
});

it.each([
  ['a small log', 'running', 5],
  ['a container that has ended', 'exited', 20],
] as const)('leaves %s alone', async (_title, state, size) => {
  writeFileSync(join(folder, '0.log'), 'x'.repeat(size));
  const runtime = runtimeWith(state, () => Promise.reject(new Error('not to be asked')));
  await rotateLogs({ runtime, clock, maxBytes: 10, maxFiles: 3 });
  expect(readdirSync(folder)).toEqual(['0.log']);
});

it('takes the old name back when the runtime does not begin a new log', async () => {
  writeFileSync(join(folder, '0.log'), 'x'.repeat(20));
  const runtime = runtimeWith('running', () => Promise.reject(new Error('no')));
  await expect(rotateLogs({ runtime, clock, maxBytes: 10, maxFiles: 3 })).rejects.toThrow('no');
  expect(readdirSync(folder)).toEqual(['0.log']);
});
