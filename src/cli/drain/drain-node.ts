import { daemonsets } from '../../api/apps/v1.gen.ts';
import { nodes, pods, type Pod } from '../../api/core/v1.gen.ts';
import { sleep, type Clock } from '../../base/clock.ts';
import type { Client } from '../../client/client.ts';
import type { Live } from '../../machinery/object.ts';
import { isStatus } from '../../machinery/status-error.ts';
import { CliError } from '../cli-error.ts';
import { planDrain, type DrainPolicy } from './plan-drain.ts';

export interface DrainOptions extends DrainPolicy {
  readonly client: Client;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Seconds; absent: each pod's own. */
  readonly gracePeriod?: number;
  /** Absent: without end. */
  readonly timeoutMs?: number;
  readonly podSelector?: string;
  say(line: string): void;
  warn(line: string): void;
}

const retryMs = 5_000;
const pollMs = 100;

/** Lets new pods onto a node, or not. */
export async function cordonNode(
  options: Pick<DrainOptions, 'client' | 'say'>,
  name: string,
  wanted: 'cordoned' | 'uncordoned',
): Promise<void> {
  const resource = options.client.for(nodes);
  const node = await resource.get({ name });
  const unschedulable = wanted === 'cordoned';
  if ((node.spec?.unschedulable ?? false) === unschedulable) {
    options.say(`node/${name} already ${wanted}`);
    return;
  }
  await resource.patch(
    { name },
    { spec: { unschedulable } },
    { type: 'application/strategic-merge-patch+json' },
  );
  options.say(`node/${name} ${wanted}`);
}

/**
 * Cordons a node and evicts its pods, which respects disruption budgets, and waits until they are gone. Throws when pods
 * are in the way that the policy does not name, before any of them is evicted.
 */
export async function drainNode(options: DrainOptions, name: string): Promise<void> {
  const { client, clock, say, warn } = options;
  const deadline = options.timeoutMs ? clock.monotonic() + options.timeoutMs : Number.POSITIVE_INFINITY;
  const over = new AbortController();
  const signal = AbortSignal.any([options.signal, over.signal]);
  const timer =
    deadline === Number.POSITIVE_INFINITY
      ? undefined
      : clock.after(deadline - clock.monotonic(), () =>
          over.abort(new CliError(`the drain of node ${name} did not end in time`)),
        );
  try {
    await cordonNode(options, name, 'cordoned');
    const [listed, sets] = await Promise.all([
      client.for(pods).list({
        fieldSelector: `spec.nodeName=${name}`,
        ...(options.podSelector !== undefined && { labelSelector: options.podSelector }),
      }),
      client.for(daemonsets).list(),
    ]);
    const plan = planDrain(listed.items, options, new Set(sets.items.map(({ metadata }) => metadata.uid)));
    if (plan.errors.length > 0)
      throw new CliError(`unable to drain node "${name}": ${plan.errors.join('; ')}`);
    for (const warning of plan.warnings) warn(`Warning: ${warning}`);
    await Promise.all(plan.pods.map((pod) => evict(pod)));
    say(`node/${name} drained`);
  } finally {
    timer?.cancel();
  }

  async function evict(pod: Live<Pod>): Promise<void> {
    const { namespace = '', name: podName, uid } = pod.metadata;
    const ref = { namespace, name: podName };
    say(`evicting pod ${namespace}/${podName}`);
    for (;;) {
      try {
        await client.for(pods).createSubresource(ref, 'eviction', {
          apiVersion: 'policy/v1',
          kind: 'Eviction',
          metadata: ref,
          deleteOptions: {
            preconditions: { uid },
            ...(options.gracePeriod !== undefined && { gracePeriodSeconds: options.gracePeriod }),
          },
        });
        break;
      } catch (error) {
        if (isStatus(error, 'NotFound') || isStatus(error, 'Conflict')) break;
        if (!isStatus(error, 'TooManyRequests')) throw error;
        warn(
          `error when evicting pods/"${podName}" -n "${namespace}" (will retry after 5s): ${error.message}`,
        );
        await sleep(clock, retryMs, signal);
      }
    }
    while (await isThere(pod)) await sleep(clock, pollMs, signal);
    say(`pod/${podName} evicted`);
  }

  async function isThere({ metadata: { namespace = '', name: podName, uid } }: Live<Pod>): Promise<boolean> {
    try {
      return (await client.for(pods).get({ namespace, name: podName })).metadata.uid === uid;
    } catch (error) {
      if (isStatus(error, 'NotFound')) return false;
      throw error;
    }
  }
}
