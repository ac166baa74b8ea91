import type { Node } from '../api/core/v1.gen.ts';

/** A range of addresses and the neighbour that leads there. */
export interface PlannedRoute {
  /** The node to which it leads. */
  readonly node: string;
  readonly range: string;
  readonly via: string;
}

/** On nodes that are reached through a machine: that machine's address, as others know it. */
export const nextHopAnnotation = 'kanoe.local/next-hop';

/**
 * The routes from one machine to the pods of nodes elsewhere: through the node itself, or, where it says so, through the
 * machine on which it is (then to its own address, too).
 */
export function planRoutes(
  nodes: readonly Node[],
  isElsewhere: (node: Node) => boolean,
): readonly PlannedRoute[] {
  return nodes.filter(isElsewhere).flatMap(({ metadata: { name = '', annotations }, spec, status }) => {
    const address = status?.addresses?.find(({ type }) => type === 'InternalIP')?.address;
    const hop = annotations?.[nextHopAnnotation];
    const via = hop ?? address;
    if (address === undefined || via === undefined || !spec?.podCIDR || via.startsWith('127.')) return [];
    return [
      { node: name, range: spec.podCIDR, via },
      ...(hop === undefined ? [] : [{ node: name, range: `${address}/32`, via: hop }]),
    ];
  });
}
