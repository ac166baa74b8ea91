import { customresourcedefinitions, type CustomResourceDefinition } from '../../api/apiextensions/v1.gen.ts';
import type { KubeObject } from '../../machinery/object.ts';
import type { Transport } from '../../machinery/transport.ts';
import type { Lookup } from '../admission/lookup.ts';
import type { CacheEvent, ResourceCache } from '../watch/resource-cache.ts';
import { CustomResources, type CustomResourcesOptions } from './custom-resources.ts';
import { DefinitionController } from './definition-controller.ts';

export interface ExtensionsOptions extends CustomResourcesOptions {
  readonly lookup: Lookup;
  /** The server itself. */
  server(): Transport;
  onFault(error: unknown): void;
}

/** Serves what the stored custom resource definitions define, and follows them; ends with `close`. */
export function startExtensions(options: ExtensionsOptions): { close(): void } {
  const { group, resource } = customresourcedefinitions;
  const stored = options.table().stored(group, resource);
  if (!stored) return { close: () => undefined };
  const { cache } = stored;
  const resources = new CustomResources(options);
  const controller = new DefinitionController({ ...options, resources });
  const take = (definition: CustomResourceDefinition, change: 'changed' | 'gone'): void => {
    const name = definition.metadata.name ?? '';
    try {
      resources.update(name, change === 'gone' ? undefined : definition);
    } catch (error) {
      // A definition that cannot be served must not keep the others from being served.
      options.onFault(error);
    }
    controller.add(name, definition.spec.group, change);
  };
  for (const entry of cache.current().range(cache.prefix)) take(objectOf(cache, entry), 'changed');
  const subscriber = {
    onEvents(events: readonly CacheEvent[]): void {
      for (const { type, entry } of events) {
        take(objectOf(cache, entry), type === 'DELETED' ? 'gone' : 'changed');
      }
    },
    onEnd: () => undefined,
  };
  cache.subscribe(subscriber);
  return {
    close() {
      cache.unsubscribe(subscriber);
      void controller.stop();
      resources.close();
    },
  };
}

function objectOf(cache: ResourceCache, entry: CacheEvent['entry']): CustomResourceDefinition {
  const object: KubeObject = cache.object(entry);
  return object as CustomResourceDefinition;
}
