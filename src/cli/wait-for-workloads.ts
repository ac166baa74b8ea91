import { events, pods } from '../api/core/v1.gen.ts';
import { sleep, type Clock } from '../base/clock.ts';
import type { Client } from '../client/client.ts';
import { createRestMapper, discover, type ServedResource } from '../client/discovery.ts';
import type { KubeObject, Live } from '../machinery/object.ts';
import { isStatus } from '../machinery/status-error.ts';
import { printSelector, selectorFrom } from '../machinery/selectors/label-selector.ts';
import { CliError } from './cli-error.ts';
import { isWorkload, readinessOf, type Readiness } from './readiness.ts';
import { typeName } from './resource-args.ts';

export interface WaitOptions {
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Hears what is still waited for, whenever that changes. */
  readonly report: (text: string) => void;
}

const pollMs = 250;

interface Waited {
  readonly served: ServedResource;
  readonly name: string;
  readonly namespace: string;
}

/**
 * Waits until the deployments, replica sets, jobs and pods among the objects are ready. Throws {@link CliError} that says of each
 * one that is not why, when the time is over or one can never be ready.
 */
export async function waitForWorkloads(
  client: Client,
  objects: readonly KubeObject[],
  { clock, timeoutMs, signal, report }: WaitOptions,
): Promise<void> {
  const mapper = createRestMapper(await discover(client.transport, signal));
  let left = objects.filter(isWorkload).flatMap((object): Waited[] => {
    const served = mapper.byKind(object.apiVersion, object.kind);
    const { name = '', namespace = 'default' } = object.metadata;
    return served ? [{ served, name, namespace }] : [];
  });
  const deadline = clock.monotonic() + timeoutMs;
  let said = '';
  for (;;) {
    const states = await Promise.all(
      left.map(async (one) => ({ one, ...(await currentReadiness(client, one)) })),
    );
    const open = states.filter(({ readiness }) => readiness.state !== 'ready');
    if (open.length === 0) return;
    left = open.map(({ one }) => one);
    const over = clock.monotonic() >= deadline;
    if (over || open.some(({ readiness }) => readiness.state === 'failed')) {
      const reasons = await Promise.all(open.map((state) => explain(client, state)));
      const title = over
        ? `not ready after ${Math.round(timeoutMs / 1000)} s:`
        : 'these cannot become ready:';
      throw new CliError([title, ...reasons.map((reason) => `  ${reason}`)].join('\n'));
    }
    const text = `waiting for ${left.map(waitedName).join(', ')} …`;
    if (text !== said) report(text);
    said = text;
    await sleep(clock, pollMs, signal);
  }
}

function waitedName({ served, name }: Waited): string {
  return `${typeName(served)}/${name}`;
}

interface Observed {
  readonly one: Waited;
  readonly readiness: Readiness;
  readonly object?: Live<KubeObject>;
}

async function currentReadiness(
  client: Client,
  { served, name, namespace }: Waited,
): Promise<Omit<Observed, 'one'>> {
  try {
    const object = await client.for(served.type).get({ name, namespace });
    return { readiness: readinessOf(object), object };
  } catch (error) {
    if (!isStatus(error, 'NotFound')) throw error;
    return { readiness: { state: 'failed', reason: 'was deleted' } };
  }
}

/** What keeps a workload, with the trouble of its pods and the last warning about any of them. */
async function explain(client: Client, { one, readiness, object }: Observed): Promise<string> {
  const reasons = [readiness.state === 'ready' ? '' : readiness.reason];
  const selector = object && selectorOf(object);
  if (selector) {
    const found = await client.for(pods).list({ namespace: one.namespace, labelSelector: selector });
    const troubled = found.items.find((pod) => readinessOf(pod).state !== 'ready');
    const trouble = troubled && readinessOf(troubled);
    if (troubled && trouble && trouble.state !== 'ready') {
      reasons.push(`pod ${troubled.metadata.name}: ${trouble.reason}`);
      reasons.push(...(await lastWarning(client, troubled)));
    }
  } else if (object) {
    reasons.push(...(await lastWarning(client, object)));
  }
  return `${waitedName(one)}: ${reasons.join('; ')}`;
}

function selectorOf(object: KubeObject): string | undefined {
  const { spec } = object as KubeObject & {
    readonly spec?: { readonly selector?: Parameters<typeof selectorFrom>[0] };
  };
  return spec?.selector ? printSelector(selectorFrom(spec.selector)) : undefined;
}

async function lastWarning(client: Client, { metadata }: Live<KubeObject>): Promise<string[]> {
  const list = await client.for(events).list({
    ...(metadata.namespace !== undefined && { namespace: metadata.namespace }),
    fieldSelector: `involvedObject.uid=${metadata.uid}`,
  });
  const [latest] = list.items
    .filter(({ type }) => type === 'Warning')
    .toSorted((a, b) => (timeOf(a) < timeOf(b) ? 1 : -1));
  return latest ? [`${latest.reason ?? 'Warning'}: ${latest.message ?? ''}`] : [];
}

function timeOf(event: { readonly lastTimestamp?: string; readonly eventTime?: string }): string {
  return event.lastTimestamp ?? event.eventTime ?? '';
}
