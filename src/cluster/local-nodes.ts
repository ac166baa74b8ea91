import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { nodes as nodeResource } from '../api/core/v1.gen.ts';
import { formatIpv4Range } from '../base/ipv4.ts';
import { isStatus } from '../machinery/status-error.ts';
import { nextHopAnnotation } from '../network/plan-routes.ts';
import { nodeRange } from './cidr.ts';
import { ClusterError } from './cluster-error.ts';
import { nodeDirectory, startLocalNode, type LocalNode, type LocalNodeSurroundings } from './local-node.ts';
import { nextNode, writeNodes, type PlannedNode } from './planned-nodes.ts';
import { removeNodeTraces } from './remove-traces.ts';

/** The nodes of this machine: those that run and those that were stopped. */
export interface LocalNodes {
  /** Those that run now. */
  running(): readonly LocalNode[];
  /** All of them, in order of their numbers. */
  list(): readonly PlannedNode[];
  /** Adds a node and starts it; without a name it gets the next one. Throws `EXISTS` and `INVALID_OPTION`. */
  add(name?: string): Promise<LocalNode>;
  /** Ends a node's containers and its agent, as if it were switched off; its Node object stays. Throws `NOT_FOUND`. */
  stop(name: string): Promise<void>;
  /** Starts a node that was stopped. Throws `NOT_FOUND`. */
  start(name: string): Promise<LocalNode>;
  /** Stops a node for good and removes its object and all it left on this machine. Throws `NOT_FOUND`. */
  delete(name: string): Promise<void>;
  /** Ends all of them, containers first. */
  close(): Promise<void>;
}

/** Starts the planned nodes. Resolves when they have been started; readiness is asked for separately. */
export async function startLocalNodes(surroundings: LocalNodeSurroundings): Promise<LocalNodes> {
  const { plan, options, controlPlane, network } = surroundings;
  const { clock } = options;
  const resource = controlPlane.client.for(nodeResource);
  const running = new Map<string, LocalNode>();
  let planned = [...plan.nodes];
  let turn: Promise<unknown> = Promise.resolve();

  /** One change at a time. */
  function inTurn<T>(act: () => Promise<T>): Promise<T> {
    const next = turn.then(act, act);
    turn = next.catch(() => undefined);
    return next;
  }

  async function begin(node: PlannedNode): Promise<LocalNode> {
    const started = await startLocalNode(surroundings, node);
    running.set(node.name, started);
    announceNextHop(started).catch(() => undefined);
    return started;
  }

  /** Nodes elsewhere reach these through this machine. */
  async function announceNextHop({ name, agent }: LocalNode): Promise<void> {
    const hop = plan.outside?.advertise;
    await agent.ready;
    const held = (await resource.get({ name })).metadata.annotations?.[nextHopAnnotation];
    if (held === hop) return;
    const annotations = { [nextHopAnnotation]: hop ?? null };
    await resource.patch({ name }, { metadata: { annotations } }, { type: 'application/merge-patch+json' });
  }

  function find(name: string): PlannedNode {
    const found = planned.find((node) => node.name === name);
    if (found) return found;
    const names = planned.map((node) => node.name).join(', ');
    throw new ClusterError(
      'NOT_FOUND',
      `this machine runs no node named ${name} for cluster ${plan.name}; it has: ${names || 'none'}`,
    );
  }

  async function remember(): Promise<void> {
    await writeNodes(plan.dataDirectory, planned);
  }

  function update(name: string, stopped: boolean): void {
    planned = planned.map((node) => {
      if (node.name !== name) return node;
      const { stopped: _stopped, ...rest } = node;
      return stopped ? { ...rest, stopped } : rest;
    });
  }

  async function halt(node: PlannedNode): Promise<void> {
    const { name, index } = node;
    const local = running.get(name);
    running.delete(name);
    await local?.stop();
    await removeNodeTraces(plan, index, clock);
    await network?.isolatedNodes?.remove(name);
    network?.removeNode(name);
  }

  async function forget(name: string): Promise<void> {
    await resource.delete({ name }).catch((error: unknown) => {
      if (!isStatus(error, 'NotFound')) throw error;
    });
  }

  /** Those that an earlier start had and this one has not: nobody will ever run what is bound to them. */
  async function removeFormerNodes(): Promise<void> {
    for (const { name, index } of plan.formerNodes) {
      await removeNodeTraces(plan, index, clock);
      await forget(name);
    }
  }

  if (planned.length > 0) await Promise.all([removeFormerNodes(), remember()]);
  await Promise.all(planned.map(begin));

  return {
    running: () => [...running.values()],
    list: () => [...planned].sort((a, b) => a.index - b.index),
    add: (asked) =>
      inTurn(async () => {
        const objects = (await resource.list()).items;
        const taken = objects.map(({ metadata, spec }) => ({
          name: metadata.name,
          index: indexOf(spec?.podCIDR) ?? -1,
        }));
        const next = nextNode([...planned, ...taken], plan.name);
        const name = asked ?? next.name;
        if (taken.some((node) => node.name === name) || planned.some((node) => node.name === name))
          throw new ClusterError('EXISTS', `cluster ${plan.name} has a node named ${name} already`);
        if (next.index >= plan.nodeLimit)
          throw new ClusterError('INVALID_OPTION', 'the pod network has no room for another node');
        const node: PlannedNode = { name, index: next.index, network: 'own' };
        planned.push(node);
        await remember();
        return await begin(node);
      }),
    stop: (name) =>
      inTurn(async () => {
        const node = find(name);
        update(name, true);
        await remember();
        await halt(node);
      }),
    start: (name) =>
      inTurn(async () => {
        const node = find(name);
        const known = running.get(name);
        if (known) return known;
        update(name, false);
        await remember();
        return await begin(node);
      }),
    delete: (name) =>
      inTurn(async () => {
        const node = find(name);
        await halt(node);
        planned = planned.filter((other) => other !== node && other.name !== name);
        await remember();
        await rm(nodeDirectory(plan.dataDirectory, node.index), { recursive: true, force: true });
        await rm(join(plan.dataDirectory, 'network', `addresses-${name}.json`), { force: true });
        await forget(name);
      }),
    async close() {
      await turn;
      await Promise.all([...running.values()].map((node) => node.stop()));
    },
  };

  function indexOf(podCidr: string | undefined): number | undefined {
    for (let index = 0; index < plan.nodeLimit; index += 1)
      if (formatIpv4Range(nodeRange(plan.podCidr, index)) === podCidr) return index;
    return undefined;
  }
}
