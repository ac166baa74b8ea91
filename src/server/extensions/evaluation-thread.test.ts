import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { systemClock, type Clock } from '../../base/clock.ts';
import { structuralSchema, type SchemaProps } from '../../machinery/structural/structural-schema.ts';
import { ruleCompiler } from '../../machinery/validation-rules/evaluate-rules.ts';
import { evaluationThread, type EvaluationThread } from './evaluation-thread.ts';

const schema: SchemaProps = {
  type: 'object',
  properties: {
    a: {
      type: 'array',
      items: { type: 'integer' },
      'x-kubernetes-validations': [{ rule: 'self.exists(x, self.exists(y, x + y < 0))' }],
    },
  },
};

let folder: string;
let thread: EvaluationThread;
let isBusy = false;
/** What the thread waited for, in milliseconds, which took no time. */
const pauses: number[] = [];
const clock: Clock = {
  ...systemClock,
  // However long evaluations take, no time passes between them.
  monotonic: () => 0,
  after(ms, run) {
    // Half a minute is what it waits for before it ends.
    if (ms >= 30_000) return { cancel: () => undefined };
    pauses.push(ms);
    queueMicrotask(run);
    return { cancel: () => undefined };
  },
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kanoe-evaluation-thread-'));
  const workerFile = join(folder, 'rules-worker.cjs');
  await build({
    entryPoints: [join(import.meta.dirname, '../../../bin/rules-worker.ts')],
    outfile: workerFile,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    logLevel: 'error',
  });
  thread = evaluationThread({ clock, isBusy: () => isBusy, workerFile });
});

afterAll(async () => {
  thread.close();
  await rm(folder, { recursive: true });
});

it.each([
  ['short rules here', 3, undefined],
  ['long rules in the thread, again', 120, 'thread'],
  ['long rules in the thread, with the schema it knows', 110, 'thread'],
])('evaluates %s', async (_, length, where) => {
  const rules = ruleCompiler({ elsewhere: thread.rules })(structuralSchema(schema));
  const found = rules?.validate({ object: { a: Array.from({ length }, (_item, at) => at) } });
  expect(found instanceof Promise).toBe(where === 'thread');
  expect(await found).toEqual([
    {
      field: 'a',
      reason: 'FieldValueInvalid',
      message: 'Invalid value: failed rule: self.exists(x, self.exists(y, x + y < 0))',
    },
  ]);
});

it('pauses between long evaluations of one schema while others are busy', async () => {
  const evaluate = (own: SchemaProps): Promise<unknown> =>
    thread.rules({ schema: own, object: { a: Array.from({ length: 600 }, (_item, at) => at) } });
  const slow = structuredClone(schema);
  await evaluate(slow);
  await evaluate(slow);
  expect(pauses).toEqual([]);
  isBusy = true;
  await evaluate(structuredClone(schema));
  expect(pauses).toEqual([]);
  await evaluate(slow);
  expect(pauses).toEqual([expect.any(Number)]);
});

it('refuses more than it can soon evaluate', async () => {
  const own = structuredClone(schema);
  const all = await Promise.allSettled(
    Array.from({ length: 80 }, () => thread.rules({ schema: own, object: { a: [1] } })),
  );
  const refused = all.filter(({ status }) => status === 'rejected');
  expect(refused).toHaveLength(16);
  expect(refused[0]).toMatchObject({ reason: { status: { code: 429, reason: 'TooManyRequests' } } });
  expect(await thread.rules({ schema: own, object: { a: [-1] } })).toEqual([]);
});

it('evaluates an expression of a policy, and says what its variables cost', async () => {
  const values = {
    object: { a: [1, 2, 3] },
    oldObject: null,
    request: {},
    namespaceObject: null,
    params: null,
  };
  const source = 'variables.sum == 6 && variables.sum > 5';
  const variables = [{ name: 'sum', expression: 'object.a.map(x, x * 1).sum()' }];
  const { outcome, variables: costs } = await thread.expression({ source, params: false, variables }, values);
  expect(outcome).toMatchObject({ value: true });
  expect(costs).toEqual([['sum', expect.any(Number)]]);
  const failing = { source: 'object.b == 1', params: false, variables: [] };
  expect((await thread.expression(failing, values)).outcome).toMatchObject({ error: 'no such key: b' });
});
