import type { MutatingWebhook, ValidatingWebhook } from '../../../api/admissionregistration/v1.gen.ts';
import type { KubeObject, Live, ResourceType } from '../../../machinery/object.ts';
import type { Lookup } from '../lookup.ts';

/** One webhook of a stored configuration. */
export interface ConfiguredWebhook<W> {
  readonly configuration: string;
  /** Tells webhooks of equal names apart. */
  readonly uid: string;
  readonly webhook: W;
}

interface Configuration<W> extends KubeObject {
  readonly webhooks?: readonly W[];
}

/** All webhooks of a kind in the order in which they are called: by the names of their configurations. */
export function configuredWebhooks<W extends ValidatingWebhook | MutatingWebhook>(
  lookup: Lookup,
  type: ResourceType<Configuration<W>>,
): () => readonly ConfiguredWebhook<W>[] {
  let seen: readonly Live<Configuration<W>>[] = [];
  let hooks: readonly ConfiguredWebhook<W>[] = [];
  return () => {
    const current = [...lookup.list(type)];
    if (current.length === seen.length && current.every((object, index) => object === seen[index]))
      return hooks;
    seen = current;
    hooks = current
      .toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
      .flatMap(({ metadata, webhooks = [] }) => {
        const counts = new Map<string, number>();
        return webhooks.map((webhook) => {
          const count = counts.get(webhook.name) ?? 0;
          counts.set(webhook.name, count + 1);
          return { configuration: metadata.name, uid: `${metadata.name}/${webhook.name}/${count}`, webhook };
        });
      });
    return hooks;
  };
}
