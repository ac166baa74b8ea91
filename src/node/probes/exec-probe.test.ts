import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import { FakeClock } from '../../base/fake-clock.ts';
import type { ExecSession } from '../container-runtime.ts';
import { FakeRuntime } from '../testing/fake-runtime.ts';
import { execProbe } from './exec-probe.ts';

/** A command that runs until it is killed. */
function endlessSession(): ExecSession {
  return {
    stdin: undefined,
    stdout: new PassThrough(),
    stderr: undefined,
    exited: new Promise<number>(() => undefined),
    resize: () => undefined,
    close: () => undefined,
  };
}

it('fails, and does not reject, when its container ends while the command runs', async () => {
  const runtime = Object.assign(new FakeRuntime(new FakeClock()), { exec: async () => endlessSession() });
  const container = new AbortController();
  const result = execProbe({
    runtime,
    containerId: 'c',
    command: ['true'],
    timeoutMs: 60_000,
    signal: container.signal,
  });
  setImmediate(() => container.abort());
  await expect(result).resolves.toMatchObject({ outcome: 'failure' });
});
