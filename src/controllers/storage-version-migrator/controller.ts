import {
  storageversionmigrations,
  type StorageVersionMigration,
} from '../../api/storagemigration/storage-version-migrations.ts';
import { discover, type ServedResource } from '../../client/discovery.ts';
import type { KubeObject, Live, ResourceType } from '../../machinery/object.ts';
import { isStatus } from '../../machinery/status-error.ts';
import {
  settled,
  type Controller,
  type ControllerContext,
  type Outcome,
  type RunningController,
} from '../../reconcile/controller.ts';
import type { Informer } from '../../reconcile/informer.ts';
import { startReconciler } from '../../reconcile/reconciler.ts';
import { isOver, withOutcome } from './plan.ts';

/** Writes all objects of a resource anew when told to, where the server serves StorageVersionMigrations. */
export const storageVersionMigrator: Controller = {
  name: 'storage-version-migrator-controller',
  aliases: ['storage-version-migrator'],
  start,
};

const discoveryKey = '/discovery';
const pageSize = 500;

function start(context: ControllerContext): RunningController {
  const { client, informers, clock, signal } = context;
  const migrationClient = client.for(storageversionmigrations);
  let cache: Informer<StorageVersionMigration> | undefined;
  const reconciler = startReconciler(context, {
    name: storageVersionMigrator.name,
    caches: [],
    concurrency: 1,
    reconcile: (key) => (key === discoveryKey ? lookForKind() : reconcile(key)),
  });
  reconciler.add(discoveryKey);
  return reconciler;

  /** Servers have the kind from their start on or never. */
  async function lookForKind(): Promise<Outcome> {
    const { group, version } = storageversionmigrations;
    try {
      await client.transport.raw(`/apis/${group}/${version}`, signal);
    } catch (error) {
      if (isStatus(error, 'NotFound')) return settled;
      throw error;
    }
    cache = informers.for(storageversionmigrations);
    const wake = ({ metadata }: Live<StorageVersionMigration>): void => reconciler.add(metadata.name);
    cache.addHandler({ onAdd: wake, onUpdate: wake });
    informers.start();
    return settled;
  }

  async function reconcile(name: string): Promise<Outcome> {
    const migration = cache?.get(undefined, name);
    if (!migration || isOver(migration)) return settled;
    const { group, resource } = migration.spec.resource;
    const served = await servedAs(group, resource);
    if (!served) {
      await finish(migration, 'Failed', `resource does not exist in the server: ${resource}.${group}`);
      return settled;
    }
    const running = await begin(migration, served.type);
    try {
      await migrate(served.type);
    } catch (error) {
      if (
        !isStatus(error, 'Invalid') &&
        !isStatus(error, 'Forbidden') &&
        !isStatus(error, 'MethodNotAllowed')
      )
        throw error;
      await finish(running, 'Failed', error.message);
      return settled;
    }
    await finish(running, 'Succeeded', '');
    return settled;
  }

  async function servedAs(group: string, resource: string): Promise<ServedResource | undefined> {
    const found = (await discover(client.transport, signal)).filter(
      ({ type, verbs }) => type.group === group && type.resource === resource && verbs.includes('patch'),
    );
    return found.find(({ preferred }) => preferred) ?? found[0];
  }

  async function begin(
    migration: Live<StorageVersionMigration>,
    type: ResourceType<KubeObject>,
  ): Promise<Live<StorageVersionMigration>> {
    const { conditions = [], resourceVersion } = migration.status ?? {};
    const next = withOutcome(conditions, 'Running', { now: clock.now() });
    if (next === conditions && resourceVersion !== undefined) return migration;
    const version =
      resourceVersion ?? (await client.for(type).list({ limit: 1, signal })).metadata.resourceVersion;
    return migrationClient.updateStatus({
      ...migration,
      status: { conditions: next, ...(version !== undefined && { resourceVersion: version }) },
    });
  }

  /** A write that changes nothing is stored when the stored form is not the present one, and only then. */
  async function migrate(type: ResourceType<KubeObject>): Promise<void> {
    const resource = client.for(type);
    let token: string | undefined;
    do {
      const page = await resource.list({
        limit: pageSize,
        signal,
        ...(token !== undefined && { continue: token }),
      });
      for (const { metadata } of page.items) {
        const { namespace, name, uid, resourceVersion } = metadata;
        try {
          await resource.patch(
            { name, ...(namespace !== undefined && { namespace }) },
            { metadata: { uid, resourceVersion } },
            { type: 'application/merge-patch+json', fieldManager: storageVersionMigrator.name },
          );
        } catch (error) {
          // Whoever changed the object meanwhile has written it in the present form.
          if (!isStatus(error, 'NotFound') && !isStatus(error, 'Conflict')) throw error;
        }
      }
      token = page.metadata.continue || undefined;
    } while (token !== undefined);
  }

  async function finish(
    migration: Live<StorageVersionMigration>,
    type: 'Succeeded' | 'Failed',
    message: string,
  ): Promise<void> {
    const conditions = withOutcome(migration.status?.conditions ?? [], type, { message, now: clock.now() });
    await migrationClient.updateStatus({ ...migration, status: { ...migration.status, conditions } });
  }
}
