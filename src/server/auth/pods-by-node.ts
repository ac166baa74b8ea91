import type { Pod } from '../../api/core/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import type { CacheEntry, ResourceCache } from '../watch/resource-cache.ts';

const nodeField = 'spec.nodeName';

/** Finds the pods that are bound to a node; kept up to date with the cache of pods from the first question on. */
export function podsByNode(cache: () => ResourceCache | undefined): (node: string) => Iterable<Live<Pod>> {
  let index: Map<string, Map<string, CacheEntry>> | undefined;

  function put(entries: Map<string, Map<string, CacheEntry>>, entry: CacheEntry): void {
    const node = entry.fields[nodeField] ?? '';
    if (node === '') return;
    const held = entries.get(node);
    if (held) held.set(entry.key, entry);
    else entries.set(node, new Map([[entry.key, entry]]));
  }

  function take(entries: Map<string, Map<string, CacheEntry>>, entry: CacheEntry): void {
    const node = entry.fields[nodeField] ?? '';
    const held = entries.get(node);
    held?.delete(entry.key);
    if (held?.size === 0) entries.delete(node);
  }

  function build(pods: ResourceCache): Map<string, Map<string, CacheEntry>> {
    const entries = new Map<string, Map<string, CacheEntry>>();
    for (const entry of pods.current().range(pods.prefix)) put(entries, entry);
    pods.subscribe({
      onEvents(events) {
        for (const { type, entry, previous } of events) {
          if (previous) take(entries, previous);
          if (type !== 'DELETED') put(entries, entry);
        }
      },
      onEnd: () => undefined,
    });
    return entries;
  }

  return function* on(node) {
    const pods = cache();
    if (!pods) return;
    index ??= build(pods);
    for (const entry of index.get(node)?.values() ?? []) yield pods.object(entry) as Live<Pod>;
  };
}
