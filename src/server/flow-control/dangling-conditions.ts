import { flowschemas, prioritylevelconfigurations, type FlowSchema } from '../../api/flowcontrol/v1.gen.ts';
import { timestamp, type Clock } from '../../base/clock.ts';
import type { Live } from '../../machinery/object.ts';
import { isStatus } from '../../machinery/status-error.ts';
import type { Transport } from '../../machinery/transport.ts';
import type { Lookup } from '../admission/lookup.ts';
import type { ResourceTable } from '../registry/served-resource.ts';
import type { CacheSubscriber } from '../watch/resource-cache.ts';

export interface DanglingOptions {
  readonly clock: Clock;
  readonly table: () => ResourceTable;
  readonly lookup: Lookup;
  server(): Transport;
  onFault(error: unknown): void;
}

/** Keeps the condition `Dangling` of flow schemas in step with which priority levels there are. */
export function keepDanglingConditions(options: DanglingOptions): { close(): void } {
  const { clock, table, lookup } = options;
  const caches = [flowschemas, prioritylevelconfigurations].flatMap(
    ({ group, resource }) => table().stored(group, resource)?.cache ?? [],
  );
  if (caches.length < 2) return { close: () => undefined };
  let pending = false;
  let closed = false;

  async function update(schema: Live<FlowSchema>): Promise<void> {
    const name = schema.spec.priorityLevelConfiguration.name;
    const found = lookup.get(prioritylevelconfigurations, '', name) !== undefined;
    const conditions = schema.status?.conditions ?? [];
    const before = conditions.find(({ type }) => type === 'Dangling');
    const reference = `This FlowSchema references the PriorityLevelConfiguration object named ${JSON.stringify(name)}`;
    const status = found ? 'False' : 'True';
    const message = found ? `${reference} and it exists` : `${reference} but there is no such object`;
    if (before?.status === status && before.message === message) return;
    const condition = {
      type: 'Dangling',
      status,
      lastTransitionTime:
        before?.status === status && before.lastTransitionTime !== undefined
          ? before.lastTransitionTime
          : timestamp(clock.now()),
      reason: found ? 'Found' : 'NotFound',
      message,
    };
    const others = conditions.filter(({ type }) => type !== 'Dangling');
    const { group, version, resource } = flowschemas;
    await options.server().request({
      verb: 'update',
      group,
      version,
      resource,
      subresource: 'status',
      name: schema.metadata.name,
      body: { ...schema, status: { ...schema.status, conditions: [...others, condition] } },
    });
  }

  async function run(): Promise<void> {
    pending = false;
    for (const schema of lookup.list<FlowSchema>(flowschemas)) {
      if (closed) return;
      try {
        await update(schema);
      } catch (error) {
        // A newer schema, or none: it comes here by itself.
        if (!isStatus(error, 'Conflict') && !isStatus(error, 'NotFound')) throw error;
      }
    }
  }

  function wake(): void {
    if (pending || closed) return;
    pending = true;
    clock.after(0, () => {
      if (closed) return;
      run().catch((error: unknown) => {
        if (!closed) options.onFault(error);
      });
    });
  }

  const subscriber: CacheSubscriber = { onEvents: wake, onEnd: () => undefined };
  for (const cache of caches) cache.subscribe(subscriber);
  return {
    close() {
      closed = true;
      for (const cache of caches) cache.unsubscribe(subscriber);
    },
  };
}
