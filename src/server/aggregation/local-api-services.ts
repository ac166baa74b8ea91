import { localCondition } from '../../api/apiregistration/api-services.ts';
import { apiservices, type APIService } from '../../api/apiregistration/v1.gen.ts';
import type { Clock } from '../../base/clock.ts';
import { isStatus } from '../../machinery/status-error.ts';
import type { Transport } from '../../machinery/transport.ts';
import type { Lookup } from '../admission/lookup.ts';
import type { ResourceTable } from '../registry/served-resource.ts';

const managedLabel = 'kube-aggregator.kubernetes.io/automanaged';

/** Upstream's priorities of the built-in groups. */
const groupPriorities: Readonly<Record<string, number>> = {
  '': 18_000,
  apps: 17_800,
  'events.k8s.io': 17_750,
  'authentication.k8s.io': 17_700,
  'authorization.k8s.io': 17_600,
  autoscaling: 17_500,
  batch: 17_400,
  'certificates.k8s.io': 17_300,
  'networking.k8s.io': 17_200,
  policy: 17_100,
  'rbac.authorization.k8s.io': 17_000,
  'storage.k8s.io': 16_800,
  'apiextensions.k8s.io': 16_700,
  'admissionregistration.k8s.io': 16_700,
  'scheduling.k8s.io': 16_600,
  'coordination.k8s.io': 16_500,
  'node.k8s.io': 16_300,
  'discovery.k8s.io': 16_200,
  'resource.k8s.io': 16_200,
  'flowcontrol.apiserver.k8s.io': 16_100,
};
const versionPriorities: Readonly<Record<string, number>> = {
  '/v1': 1,
  'autoscaling/v2': 30,
  'flowcontrol.apiserver.k8s.io/v1': 21,
  'resource.k8s.io/v1': 21,
};
const customGroupPriority = 1000;
const customVersionPriority = 100;

interface GroupVersion {
  readonly group: string;
  readonly version: string;
}

function apiServiceFor({ group, version }: GroupVersion, now: number): APIService {
  const known = Object.hasOwn(groupPriorities, group) ? groupPriorities[group] : undefined;
  const stable = /^v\d+$/.test(version);
  return {
    apiVersion: 'apiregistration.k8s.io/v1',
    kind: 'APIService',
    metadata: {
      name: `${version}.${group}`,
      labels: { [managedLabel]: known === undefined ? 'true' : 'onstart' },
    },
    spec: {
      ...(group !== '' && { group }),
      version,
      groupPriorityMinimum: known ?? customGroupPriority,
      versionPriority:
        known === undefined
          ? customVersionPriority
          : (versionPriorities[`${group}/${version}`] ?? (stable ? 15 : 12)),
    },
    status: { conditions: [localCondition(now)] },
  };
}

/** An APIService for every version of a group that this server itself serves, but for that of APIServices. */
export function localApiServices(table: ResourceTable, now: number): APIService[] {
  const found = new Map<string, GroupVersion>();
  for (const { type } of table.versions()) {
    if (type.group !== apiservices.group) found.set(`${type.version}.${type.group}`, type);
  }
  return [...found.values()].map((groupVersion) => apiServiceFor(groupVersion, now));
}

export interface LocalApiServicesOptions {
  readonly clock: Clock;
  readonly table: () => ResourceTable;
  readonly lookup: Lookup;
  server(): Transport;
  onFault(error: unknown): void;
}

/** Registers the groups that custom resources bring, and removes those that are gone. */
export function keepLocalApiServices(options: LocalApiServicesOptions): { close(): void } {
  const { clock, table, lookup } = options;
  const { group, version, resource } = apiservices;
  const place = { group, version, resource };
  let closed = false;
  let pending = false;

  async function run(): Promise<void> {
    pending = false;
    if (!table().stored(group, resource)) return;
    const wanted = new Map(
      localApiServices(table(), clock.now()).map((service) => [service.metadata.name ?? '', service]),
    );
    for (const [name, body] of wanted) {
      if (!lookup.get<APIService>(apiservices, '', name)) {
        await unless('AlreadyExists', options.server().request({ verb: 'create', ...place, body }));
      }
    }
    for (const { metadata, spec } of lookup.list<APIService>(apiservices)) {
      const managed = metadata.labels?.[managedLabel] === 'true' && !spec.service;
      if (managed && !wanted.has(metadata.name))
        await unless('NotFound', options.server().request({ verb: 'delete', ...place, name: metadata.name }));
    }
  }

  table().onChange(() => {
    if (pending || closed) return;
    pending = true;
    clock.after(0, () => {
      if (closed) return;
      run().catch((error: unknown) => {
        if (!closed) options.onFault(error);
      });
    });
  });
  return {
    close() {
      closed = true;
    },
  };
}

async function unless(reason: string, write: Promise<unknown>): Promise<void> {
  try {
    await write;
  } catch (error) {
    if (!isStatus(error, reason)) throw error;
  }
}
