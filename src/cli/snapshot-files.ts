import { createWriteStream } from 'node:fs';
import { resolve } from 'node:path';
import { finished } from 'node:stream/promises';
import type { Writable } from 'node:stream';
import { discover, type ServedResource } from '../client/discovery.ts';
import { recordHistory } from '../cluster/snapshot/record-history.ts';
import { replayHistory } from '../cluster/snapshot/replay-history.ts';
import { isResourcePatch, type ResourcePatch } from '../cluster/snapshot/resource-patch.ts';
import { restoreSnapshot } from '../cluster/snapshot/restore-snapshot.ts';
import { saveSnapshot } from '../cluster/snapshot/save-snapshot.ts';
import { snapshotResources } from '../cluster/snapshot/snapshot-resources.ts';
import { fromOffsets, toOffsets } from '../cluster/snapshot/time-offsets.ts';
import type { KubeObject } from '../machinery/object.ts';
import { parseManifests } from '../machinery/yaml/parse-manifests.ts';
import { toYaml } from '../machinery/yaml/to-yaml.ts';
import type { CliContext } from './cli-context.ts';
import { CliError } from './cli-error.ts';
import type { SnapshotFlags } from './commands/snapshot.ts';
import { readSources } from './read-sources.ts';
import { servedType } from './resource-args.ts';
import type { Session } from './session.ts';

interface SnapshotRequest {
  readonly file: string;
  readonly flags: SnapshotFlags;
}

/** `kanoe snapshot save`. */
export async function saveSnapshotFile(
  context: CliContext,
  session: Session,
  request: SnapshotRequest,
): Promise<void> {
  const output = openOutput(context, request.file);
  let count = 0;
  await saveSnapshot(session.client, await resourcesOf(session, request.flags), {
    signal: context.signal,
    write: (object) => {
      count++;
      output.write(`---\n${toYaml(object)}`);
    },
  });
  await output.end();
  context.stderr.write(`${count} objects saved\n`);
}

/** `kanoe snapshot restore`. */
export async function restoreSnapshotFile(
  context: CliContext,
  session: Session,
  request: SnapshotRequest,
): Promise<void> {
  const { objects } = await readDocuments(context, request.file);
  const wanted = request.flags.filter ? await kindsOf(session, request.flags.filter) : undefined;
  await restore(context, session, wanted ? objects.filter(({ kind }) => wanted.has(kind)) : objects);
}

/** `kanoe snapshot record`. */
export async function recordSnapshot(
  context: CliContext,
  session: Session,
  request: SnapshotRequest,
): Promise<void> {
  const output = openOutput(context, request.file);
  const start = context.clock.now();
  let count = 0;
  try {
    await recordHistory(session.client, await resourcesOf(session, request.flags), {
      clock: context.clock,
      signal: context.signal,
      write: (document) => {
        if (document.kind === 'ResourcePatch') count++;
        output.write(`---\n${toOffsets(toYaml(document), start)}`);
      },
      onStarted: () => context.stderr.write('recording; Ctrl-C ends it\n'),
    });
  } finally {
    await output.end();
  }
  context.stderr.write(`${count} changes recorded\n`);
}

/** `kanoe snapshot replay`. */
export async function replaySnapshot(
  context: CliContext,
  session: Session,
  request: SnapshotRequest,
): Promise<void> {
  const { objects, changes } = await readDocuments(context, request.file);
  const uids = await restore(context, session, objects);
  const count = await replayHistory(session.client, changes, {
    uids,
    clock: context.clock,
    signal: context.signal,
    speed: request.flags.speed,
    onFailure: ({ method, resource, target }, error) =>
      context.stderr.write(`warning: ${method} ${resource.resource} ${target.name}: ${textOf(error)}\n`),
  });
  context.stdout.write(`${count} changes replayed\n`);
}

async function restore(
  context: CliContext,
  session: Session,
  objects: readonly KubeObject[],
): Promise<ReadonlyMap<string, string>> {
  const { created, updated, failed, uids } = await restoreSnapshot(session.client, objects, {
    signal: context.signal,
    mapper: () => session.freshMapper(),
    onFailure: ({ kind, metadata }, error) =>
      context.stderr.write(`warning: ${kind} ${metadata.name ?? ''}: ${textOf(error)}\n`),
  });
  context.stdout.write(
    `${created} objects created, ${updated} were there${failed > 0 ? `, ${failed} could not be restored` : ''}\n`,
  );
  return uids;
}

async function resourcesOf(session: Session, flags: SnapshotFlags): Promise<readonly ServedResource[]> {
  const { filter } = flags;
  if (!filter) return snapshotResources(await discover(session.client.transport));
  const mapper = await session.mapper();
  return filter.map((word) => servedType(word, mapper));
}

async function kindsOf(session: Session, filter: readonly string[]): Promise<ReadonlySet<string>> {
  const mapper = await session.mapper();
  return new Set(filter.map((word) => servedType(word, mapper).type.kind));
}

/** The objects and changes of a snapshot or recording, whose times begin now. Throws {@link CliError} for what is neither. */
export async function readDocuments(
  context: CliContext,
  file: string,
): Promise<{ readonly objects: readonly KubeObject[]; readonly changes: readonly ResourcePatch[] }> {
  const objects: KubeObject[] = [];
  const changes: ResourcePatch[] = [];
  for (const source of await readSources(file, context)) {
    for (const { object, line } of parseManifests(fromOffsets(source.text, context.clock.now()), {
      file: source.file,
    })) {
      const { kind, items } = object;
      const documents =
        typeof kind === 'string' && kind.endsWith('List') && Array.isArray(items)
          ? (items as unknown[])
          : [object];
      for (const document of documents) {
        if (isResourcePatch(document)) changes.push(document);
        else if (isKubeObject(document)) objects.push(document);
        else throw new CliError(`${source.file}:${line}: no object with apiVersion, kind and metadata`);
      }
    }
  }
  return { objects, changes };
}

function isKubeObject(document: unknown): document is KubeObject {
  if (typeof document !== 'object' || document === null) return false;
  return (
    'apiVersion' in document && 'kind' in document && 'metadata' in document && document.metadata !== null
  );
}

function openOutput(context: CliContext, file: string): { write(text: string): void; end(): Promise<void> } {
  if (file === '-') return { write: (text) => void context.stdout.write(text), end: () => Promise.resolve() };
  const stream: Writable = createWriteStream(resolve(context.cwd, file), { mode: 0o600 });
  const done = finished(stream);
  done.catch(() => undefined);
  return {
    write: (text) => void stream.write(text),
    async end() {
      stream.end();
      await done;
    },
  };
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
