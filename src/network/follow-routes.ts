import { nodes, type Node } from '../api/core/v1.gen.ts';
import type { InformerFactory } from '../reconcile/informer.ts';
import { ownPlace } from './network-place.ts';
import { planRoutes, type PlannedRoute } from './plan-routes.ts';

export interface RouteFollowerOptions {
  readonly informers: InformerFactory;
  /** Whether a node is on another machine. */
  isElsewhere(node: Node): boolean;
  /** The address that this machine's own packets to pods bear. */
  readonly source: string;
  onError(error: unknown): void;
}

/** Keeps the routes to the pods of nodes elsewhere, for as long as there are such nodes. */
export function followRoutes(options: RouteFollowerOptions): { stop(): Promise<void> } {
  const { informers, source, isElsewhere, onError } = options;
  const place = ownPlace();
  const cache = informers.for(nodes);
  let made = new Map<string, PlannedRoute>();
  let turn: Promise<void> = Promise.resolve();
  let stopped = false;

  async function apply(): Promise<void> {
    if (stopped) return;
    const wanted = new Map(planRoutes(cache.list(), isElsewhere).map((route) => [route.range, route]));
    const gone = [...made.values()].filter((route) => wanted.get(route.range)?.via !== route.via);
    const added = [...wanted.values()].filter((route) => made.get(route.range)?.via !== route.via);
    for (const { range, via } of gone)
      await place.run('ip', ['route', 'del', range, 'via', via]).catch(() => '');
    made = new Map([...made].filter(([, route]) => !gone.includes(route)));
    for (const route of added) {
      // Only a neighbour can be a gateway: a node behind others is somebody else's to reach.
      const found = await place.run('ip', ['route', 'get', route.via]);
      if (found.includes(' via ')) {
        onError(
          new Error(
            `node ${route.node} (${route.via}) is no neighbour of this machine: its pods are not reached`,
          ),
        );
        continue;
      }
      await place.run('ip', ['route', 'replace', route.range, 'via', route.via, 'src', source]);
      made.set(route.range, route);
    }
  }

  const wake = (): void => {
    turn = turn.then(apply).catch(onError);
  };
  const changed = (next: Node, before: Node): void => {
    const same = (one: Node): string =>
      JSON.stringify([one.spec?.podCIDR, one.status?.addresses, one.metadata.annotations]);
    if (same(next) !== same(before)) wake();
  };
  const handler = cache.addHandler({ onAdd: wake, onUpdate: changed, onDelete: wake });
  return {
    async stop() {
      handler.close();
      await turn;
      stopped = true;
      for (const { range, via } of made.values())
        await place.run('ip', ['route', 'del', range, 'via', via]).catch(() => '');
    },
  };
}
