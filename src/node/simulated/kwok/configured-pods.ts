import type { KubeObject, Live, ResourceType } from '../../../machinery/object.ts';
import type { Informer, InformerFactory } from '../../../reconcile/informer.ts';
import type { ForContainers, PodSelection } from './pod-resources.ts';

/** Something that says for pods how their containers behave. */
interface Configured extends KubeObject {
  readonly spec: { readonly selector?: PodSelection };
}

/** Finds what is said about a pod: by the resource of its own name, else by the first cluster-wide one that selects it. */
export class PodConfiguration<T extends Configured, Entry> {
  readonly #own: Informer<T> | undefined;
  readonly #cluster: Informer<T> | undefined;
  readonly #entriesOf: (object: Live<T>) => readonly Entry[];

  constructor(
    informers: InformerFactory,
    types: readonly ResourceType<T>[],
    entriesOf: (object: Live<T>) => readonly Entry[],
  ) {
    const [own, cluster] = types;
    this.#own = own && informers.for(own);
    this.#cluster = cluster && informers.for(cluster);
    this.#entriesOf = entriesOf;
  }

  entries(namespace: string, pod: string): readonly Entry[] {
    const own = this.#own?.get(namespace, pod);
    if (own) return this.#entriesOf(own);
    const selected = (this.#cluster?.list() ?? [])
      .toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
      .find(({ spec }) => isSelected(spec.selector, namespace, pod));
    return selected ? this.#entriesOf(selected) : [];
  }
}

function isSelected(selector: PodSelection | undefined, namespace: string, name: string): boolean {
  const { matchNamespaces = [], matchNames = [] } = selector ?? {};
  if (matchNamespaces.length > 0 && !matchNamespaces.includes(namespace)) return false;
  return matchNames.length === 0 || matchNames.includes(name);
}

/** The entry that names the container, else the first that names none. */
export function entryFor<E extends ForContainers>(entries: readonly E[], container: string): E | undefined {
  return (
    entries.find(({ containers }) => containers?.includes(container) === true) ??
    entries.find(({ containers }) => (containers ?? []).length === 0)
  );
}
