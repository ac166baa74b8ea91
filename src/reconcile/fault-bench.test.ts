import { afterEach, beforeEach, expect, it } from 'vitest';
import { configmaps, type ConfigMap } from '../api/core/v1.gen.ts';
import type { Live } from '../machinery/object.ts';
import { settled, type Controller } from './controller.ts';
import { eventually } from './eventually.ts';
import { startFaultBench, type Convergence, type FaultBench } from './fault-bench.ts';
import { faultAt, randomFaults, type Fault } from './faulty-transport.ts';
import { byKey, objectKey, startReconciler } from './reconciler.ts';

/** Doubles `data.in` into `data.out`; `change` makes it wrong. */
function doubler(change: (object: Live<ConfigMap>) => ConfigMap | undefined): Controller {
  return {
    name: 'doubler',
    aliases: [],
    start(context) {
      const cache = context.informers.for(configmaps);
      const reconciler = startReconciler(context, {
        name: 'doubler',
        caches: [cache],
        async reconcile(key) {
          const object = byKey(cache, key);
          const next = object?.data?.['in'] === undefined ? undefined : change(object);
          if (next) await context.client.for(configmaps).update(next);
          return settled;
        },
      });
      cache.addHandler({ onAdd: (object) => reconciler.add(objectKey(object)) });
      return reconciler;
    },
  };
}

const doubled = (object: Live<ConfigMap>): ConfigMap => ({
  ...object,
  data: { ...object.data, out: String(2 * Number(object.data?.['in'])) },
});

const scenario: Convergence = {
  async arrange({ client, namespace }) {
    await client.for(configmaps).create({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'numbers', namespace },
      data: { in: '21' },
    });
  },
  async settle({ client, namespace }) {
    await eventually(client, configmaps, ([one]) => one?.data?.['out'] === '42', { namespace });
  },
};

const good = doubler((object) => (object.data?.['out'] === '42' ? undefined : doubled(object)));
/** Writes on every start, though nothing is left to do. */
const restless = doubler(doubled);

let bench: FaultBench | undefined;
beforeEach(() => {
  bench = undefined;
});
afterEach(async () => {
  await bench?.stop();
});

it.each<Fault>(['conflict', 'timeout', 'lost', 'crash'])(
  'a controller that tries again settles after a %s at any call',
  async (fault) => {
    bench = await startFaultBench({ controllers: [good], bystanders: [] });
    const calls = await bench.play(scenario);
    expect(calls).toBeGreaterThanOrEqual(3);
    for (let at = 0; at < calls; at++) await bench.play(scenario, faultAt(at, fault));
  },
);

it('a controller that writes for nothing is found out', async () => {
  bench = await startFaultBench({ controllers: [restless], bystanders: [] });
  await expect(bench.play(scenario)).rejects.toThrow('do not stop writing: update configmaps');
});

it('faults of one seed are the same', () => {
  const faults = (seed: number): (Fault | undefined)[] => {
    const plan = randomFaults(seed, { probability: 0.5, calls: 20 });
    const request = { verb: 'update', group: '', version: 'v1', resource: 'pods' } as const;
    return Array.from({ length: 30 }, (_, index) => plan(index, request));
  };
  expect(faults(1)).toEqual(faults(1));
  expect(faults(1)).not.toEqual(faults(2));
  expect(
    faults(1)
      .slice(20)
      .every((fault) => fault === undefined),
  ).toBe(true);
});
