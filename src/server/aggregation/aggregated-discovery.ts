import type { Clock } from '../../base/clock.ts';
import type { APIResourceList } from '../../machinery/meta/v1.gen.ts';
import {
  aggregatedDiscovery,
  groupList,
  type AggregatedGroup,
  type ServedGroup,
} from '../discovery/discovery-documents.ts';
import type { Reply } from '../http/exchange.ts';
import {
  aggregatedReply,
  documentReply,
  wantsAggregated,
  type AggregatedType,
  type PathRoute,
} from '../http/path-routes.ts';
import type { RemoteVersion } from './aggregator.ts';

export interface AggregatedDiscoveryOptions {
  readonly clock: Clock;
  /** What this server itself serves. */
  groups(): readonly ServedGroup[];
  remotes(): readonly RemoteVersion[];
  /** The documents of all servers were put together. */
  onAggregated(): void;
}

interface GroupBody {
  readonly name: string;
  readonly versions: readonly { readonly groupVersion: string; readonly version: string }[];
  readonly preferredVersion?: object;
}

const keptMs = 10_000;

/** The resources of a version in the form of the aggregated document. */
function converted({ resources }: APIResourceList, { group, version }: RemoteVersion): object[] {
  const kindOf = (one: APIResourceList['resources'][number]): object => ({
    group: one.group ?? group,
    version: one.version ?? version,
    kind: one.kind,
  });
  return resources
    .filter(({ name }) => !name.includes('/'))
    .map((resource) => {
      const own = resources.filter(({ name }) => name.startsWith(`${resource.name}/`));
      return {
        resource: resource.name,
        responseKind: kindOf(resource),
        scope: resource.namespaced ? 'Namespaced' : 'Cluster',
        singularResource: resource.singularName,
        verbs: resource.verbs,
        ...(resource.shortNames && { shortNames: resource.shortNames }),
        ...(resource.categories && { categories: resource.categories }),
        ...(own.length > 0 && {
          subresources: own.map((one) => ({
            subresource: one.name.slice(resource.name.length + 1),
            responseKind: kindOf(one),
            verbs: one.verbs,
          })),
        }),
      };
    });
}

/** `/apis` and `/apis/GROUP` with the groups of other servers in them; leaves all to the next route when there are none. */
export function aggregatedDiscoveryRoute(options: AggregatedDiscoveryOptions): PathRoute {
  const { clock, groups, remotes } = options;
  const known = new Map<string, { readonly at: number; readonly resources: object[] }>();

  async function resourcesOf(remote: RemoteVersion): Promise<object> {
    const { version, server, available } = remote;
    const before = known.get(server.root);
    if (before && clock.monotonic() - before.at < keptMs)
      return { version, resources: before.resources, freshness: 'Current' };
    if (available) {
      try {
        const { code, body } = await server.get(server.root);
        if (code === 200) {
          const resources = converted(JSON.parse(body.toString()) as APIResourceList, remote);
          known.set(server.root, { at: clock.monotonic(), resources });
          return { version, resources, freshness: 'Current' };
        }
      } catch (error) {
        if (!(error instanceof Error)) throw error;
      }
    }
    return { version, ...(before && { resources: before.resources }), freshness: 'Stale' };
  }

  function byGroup(): Map<string, RemoteVersion[]> {
    const found = new Map<string, RemoteVersion[]>();
    for (const remote of remotes()) found.set(remote.group, [...(found.get(remote.group) ?? []), remote]);
    return found;
  }

  async function aggregated(type: AggregatedType): Promise<Reply> {
    const document = aggregatedDiscovery(groups().filter(({ name }) => name !== ''));
    const items: AggregatedGroup[] = [...document.items];
    for (const [group, versions] of byGroup()) {
      const added = (await Promise.all(versions.map(resourcesOf))) as AggregatedGroup['versions'];
      const index = items.findIndex(({ metadata }) => metadata.name === group);
      const own = items[index];
      if (own) items[index] = { ...own, versions: [...own.versions, ...added] };
      else items.push({ metadata: { name: group }, versions: added });
    }
    options.onAggregated();
    return aggregatedReply({ ...document, items }, type);
  }

  function bodies(): GroupBody[] {
    const all = [...(groupList(groups()) as { readonly groups: readonly GroupBody[] }).groups];
    for (const [group, versions] of byGroup()) {
      const added = versions.map(({ version }) => ({ groupVersion: `${group}/${version}`, version }));
      const index = all.findIndex(({ name }) => name === group);
      const own = all[index];
      if (own) all[index] = { ...own, versions: [...own.versions, ...added] };
      else all.push({ name: group, versions: added, ...(added[0] && { preferredVersion: added[0] }) });
    }
    return all;
  }

  return ({ path: asked, headers }) => {
    if (!asked.startsWith('/apis') || remotes().length === 0) return undefined;
    const path = asked.replace(/\/$/, '');
    if (path === '/apis') {
      const type = wantsAggregated(headers);
      if (type) return aggregated(type);
      return documentReply({ kind: 'APIGroupList', apiVersion: 'v1', groups: bodies() }, headers, []);
    }
    const [, , name = '', version] = path.split('/');
    if (version !== undefined || !remotes().some(({ group }) => group === name)) return undefined;
    const group = bodies().find((one) => one.name === name);
    return group && documentReply({ kind: 'APIGroup', apiVersion: 'v1', ...group }, headers, []);
  };
}
