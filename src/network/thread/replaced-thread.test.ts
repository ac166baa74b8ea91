import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startReplacedThread, type ReplacedThread } from './replaced-thread.ts';

/** Keeps a text, fails or dies when asked to, and tells when it begins. */
const program = `
const { parentPort } = require('node:worker_threads');
let kept = '';
parentPort.postMessage({ kind: 'begun' });
parentPort.on('message', ({ id, call }) => {
  if (call.method === 'die') throw new Error('as asked');
  if (call.method === 'fail') parentPort.postMessage({ kind: 'error', id, message: 'no' });
  else {
    if (call.method === 'keep') kept = call.text;
    parentPort.postMessage({ kind: 'result', id, result: kept });
  }
});
`;

type Call = { readonly method: 'keep'; readonly text: string } | { readonly method: 'read' | 'fail' | 'die' };

let folder: string;
let workerFile: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'thread-'));
  workerFile = join(folder, 'program.cjs');
  await writeFile(workerFile, program);
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

interface Trial {
  readonly thread: ReplacedThread<Call>;
  readonly crashes: unknown[];
  readonly notices: string[];
  /** Resolves when a successor was brought to where its predecessor was. */
  readonly restored: Promise<void>;
}

function startTrial(restore: (call: (call: Call) => Promise<unknown>) => Promise<unknown>): Trial {
  const crashes: unknown[] = [];
  const notices: string[] = [];
  const { promise: restored, resolve } = deferred();
  const thread = startReplacedThread<Call, { readonly kind: 'begun' }>({
    workerFile,
    endedMessage: 'the thread ended',
    onCrash: (error) => crashes.push(error),
    onNotice: ({ kind }) => notices.push(kind),
    restore: (call) =>
      restore(call)
        .then(() => undefined)
        .finally(resolve),
  });
  return { thread, crashes, notices, restored };
}

function deferred(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((done) => (resolve = done));
  return { promise, resolve };
}

it('answers calls, with their failures, and passes notices on', async () => {
  const { thread, notices, crashes } = startTrial(() => Promise.resolve());
  expect(await thread.call({ method: 'keep', text: 'a' })).toBe('a');
  await expect(thread.call({ method: 'fail' })).rejects.toThrow('no');
  expect(await thread.call({ method: 'read' })).toBe('a');
  await thread.terminate();
  expect([notices, crashes]).toEqual([['begun'], []]);
});

it('takes the place of one that dies, where that one was', async () => {
  const { thread, crashes, restored } = startTrial((call) => call({ method: 'keep', text: 'restored' }));
  await thread.call({ method: 'keep', text: 'lost' });
  const waiting = Promise.allSettled([thread.call({ method: 'die' }), thread.call({ method: 'read' })]);
  const ended = { status: 'rejected', reason: new Error('the thread ended') };
  expect(await waiting).toEqual([ended, ended]);
  await restored;
  expect(await thread.call({ method: 'read' })).toBe('restored');
  await thread.terminate();
  expect(crashes).toEqual([new Error('as asked')]);
});

it('says so when a successor cannot be brought there', async () => {
  const { thread, crashes, restored } = startTrial((call) => call({ method: 'fail' }));
  await expect(thread.call({ method: 'die' })).rejects.toThrow('the thread ended');
  await restored;
  expect(await thread.call({ method: 'read' })).toBe('');
  await thread.terminate();
  expect(crashes).toEqual([new Error('as asked'), new Error('no')]);
});
