import type { Scale } from '../../api/autoscaling/v1.gen.ts';
import type { Client } from '../../client/client.ts';
import type { APIGroup, APIResourceList } from '../../machinery/meta/v1.gen.ts';
import { isStatus } from '../../machinery/status-error.ts';
import { unlessGone } from '../../machinery/unless-gone.ts';

/** A resource that may have a `scale` subresource. */
export interface ScaledResource {
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly scales: boolean;
}

/** Reaches the `scale` of objects of any kind that the server knows when it is asked. */
export interface ScaledKinds {
  /** The resource of a kind in one version, or in the one that the server prefers; undefined when it serves none. */
  resourceOf(kind: { group: string; version?: string; kind: string }): Promise<ScaledResource | undefined>;
  /** Throws `NotFound` when there is no such object, and when its kind has no scale. */
  get(resource: ScaledResource, namespace: string, name: string): Promise<Scale>;
  update(resource: ScaledResource, scale: Scale): Promise<Scale>;
}

export function createScaledKinds({ transport }: Client): ScaledKinds {
  const known = new Map<string, Promise<readonly (ScaledResource & { readonly kind: string })[]>>();

  return {
    async resourceOf({ group, version, kind }) {
      const served = version ?? (await preferredVersion(group));
      if (served === undefined) return undefined;
      const path = `${group === '' ? '/api' : `/apis/${group}`}/${served}`;
      const cached = await known.get(path);
      const found = cached?.find((one) => one.kind === kind);
      if (found) return found;
      const fresh = listResources(path, group, served);
      known.set(path, fresh);
      fresh.catch(() => known.delete(path));
      return (await fresh).find((one) => one.kind === kind);
    },
    async get({ group, version, resource }, namespace, name) {
      const place = { group, version, resource, namespace, name };
      return (await transport.request({ verb: 'get', ...place, subresource: 'scale' })) as Scale;
    },
    async update({ group, version, resource }, scale) {
      const { namespace = '', name = '' } = scale.metadata;
      const place = { group, version, resource, namespace, name };
      return (await transport.request({
        verb: 'update',
        ...place,
        subresource: 'scale',
        body: scale,
      })) as Scale;
    },
  };

  async function preferredVersion(group: string): Promise<string | undefined> {
    if (group === '') return 'v1';
    const found = (await unlessGone(transport.raw(`/apis/${group}`))) as APIGroup | undefined;
    return (found?.preferredVersion ?? found?.versions[0])?.version;
  }

  async function listResources(
    path: string,
    group: string,
    version: string,
  ): Promise<(ScaledResource & { readonly kind: string })[]> {
    try {
      const { resources } = (await transport.raw(path)) as APIResourceList;
      const names = new Set(resources.map(({ name }) => name));
      return resources
        .filter(({ name }) => !name.includes('/'))
        .map(({ name, kind }) => ({
          group,
          version,
          resource: name,
          kind,
          scales: names.has(`${name}/scale`),
        }));
    } catch (error) {
      if (isStatus(error, 'NotFound')) return [];
      throw error;
    }
  }
}
