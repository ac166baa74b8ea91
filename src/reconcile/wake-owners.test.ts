import { expect, it } from 'vitest';
import type { ConfigMap } from '../api/core/v1.gen.ts';
import type { Live } from '../machinery/object.ts';
import type { InformerHandler } from './informer.ts';
import { wakeOwners } from './wake-owners.ts';

function object(name: string, owner?: string, more: object = {}): Live<ConfigMap> {
  const ownerReferences = [
    { apiVersion: 'v1', kind: 'Owner', name: owner ?? '', uid: owner ?? '', controller: true },
  ];
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name,
      namespace: 'n',
      uid: name,
      resourceVersion: '1',
      creationTimestamp: '2026-01-01T00:00:00Z',
      ...(owner !== undefined && { ownerReferences }),
      ...more,
    },
  };
}

const live = { initial: false };

function watch(kind: string): { handler: InformerHandler<ConfigMap>; woken: string[] } {
  const handlers: InformerHandler<ConfigMap>[] = [];
  const woken: string[] = [];
  const dependents = {
    addHandler(handler: InformerHandler<ConfigMap>) {
      handlers.push(handler);
      return { close: () => undefined };
    },
  };
  wakeOwners({
    owners: { list: () => [object('a'), object('b')] },
    dependents,
    kind,
    wants: (owner, dependent) => owner.metadata.name === dependent.data?.['wanted'],
    wake: (key, cause) => woken.push(`${key} ${cause}`),
  });
  return { handler: handlers[0] ?? {}, woken };
}

it('wakes the owner that a dependent names', () => {
  const { handler, woken } = watch('Owner');
  handler.onAdd?.(object('x', 'a'), live);
  handler.onUpdate?.(object('x', 'a'), object('x', 'a'));
  handler.onDelete?.(object('x', 'a'));
  expect(woken).toEqual(['n/a came', 'n/a changed', 'n/a went']);
});

it('wakes both owners when a dependent moves', () => {
  const { handler, woken } = watch('Owner');
  handler.onUpdate?.(object('x', 'b'), object('x', 'a'));
  expect(woken).toEqual(['n/a moved', 'n/b moved']);
});

it('leaves owners of other kinds alone', () => {
  const { handler, woken } = watch('Other');
  handler.onAdd?.(object('x', 'a'), live);
  expect(woken).toEqual([]);
});

it('wakes those who may adopt what nobody owns, unless it is going', () => {
  const { handler, woken } = watch('Owner');
  handler.onAdd?.({ ...object('x'), data: { wanted: 'b' } }, live);
  handler.onAdd?.(
    {
      ...object('x', undefined, { deletionTimestamp: '2026-01-01T00:00:00Z' }),
      data: { wanted: 'b' },
    },
    live,
  );
  expect(woken).toEqual(['n/b came']);
});
