import type { Client } from '../client/client.ts';
import { createRestMapper, discover, type RestMapper, type ServedResource } from '../client/discovery.ts';
import type { KubeObject } from '../machinery/object.ts';
import { isObject } from '../machinery/patch/json-value.ts';
import { applyObject, type ApplyOptions } from './apply-object.ts';
import { CliError } from './cli-error.ts';
import { describeFailure } from './failures.ts';
import type { Manifest } from './manifests.ts';
import { typeName } from './resource-args.ts';

/** Hears what became of each object. */
export interface ApplyReport {
  applied(line: string, object: KubeObject): void;
  failed(error: unknown, manifest: Manifest): void;
}

export interface ApplyAllOptions extends ApplyOptions {
  /** For objects that name none. */
  readonly namespace: string;
}

/**
 * Applies all objects, namespaces and definitions of custom resources first, and goes on after one that fails.
 * Resolves to the objects as the server has them. Throws {@link CliError} before anything is sent when a kind is unknown.
 */
export async function applyAll(
  client: Client,
  manifests: readonly Manifest[],
  { report, ...options }: ApplyAllOptions & { readonly report: ApplyReport },
): Promise<KubeObject[]> {
  const kinds = await openKinds(client, manifests, options.signal);
  const applied: KubeObject[] = [];
  for (const manifest of manifests.toSorted((a, b) => rank(a.object) - rank(b.object))) {
    try {
      const served = await kinds.find(manifest);
      const object = placed(manifest.object, served, options.namespace);
      const { outcome, object: now } = await applyObject(client, served, { object, options });
      const trial =
        options.dryRun === undefined ? '' : options.dryRun === 'server' ? ' (server dry run)' : ' (dry run)';
      report.applied(`${typeName(served)}/${object.metadata.name ?? ''} ${outcome}${trial}`, now);
      applied.push(now);
    } catch (error) {
      if (options.signal?.aborted) throw error;
      report.failed(error, manifest);
    }
  }
  return applied;
}

/** {@link applyAll} for `up`: one line for each object, also for those that failed. */
export async function applyManifests(
  client: Client,
  manifests: readonly Manifest[],
  report: (line: string) => void,
): Promise<{ readonly failed: number; readonly objects: readonly KubeObject[] }> {
  let failed = 0;
  const objects = await applyAll(client, manifests, {
    namespace: 'default',
    report: {
      applied: report,
      failed(error, { file, line }) {
        failed += 1;
        report(`${file}:${line}: ${describeFailure(error).join(' ')}`);
      },
    },
  });
  return { failed, objects };
}

function rank({ kind }: KubeObject): number {
  return ['Namespace', 'CustomResourceDefinition'].includes(kind) ? 0 : 1;
}

function placed(object: KubeObject, served: ServedResource, namespace: string): KubeObject {
  const { namespace: own, ...metadata } = object.metadata;
  if (!served.type.namespaced) return { ...object, metadata };
  return { ...object, metadata: { ...metadata, namespace: own ?? namespace } };
}

/** Finds the type of each manifest, also of kinds that a definition among the manifests brings. */
async function openKinds(
  client: Client,
  manifests: readonly Manifest[],
  signal: AbortSignal | undefined,
): Promise<{ find(manifest: Manifest): Promise<ServedResource> }> {
  const read = async (): Promise<RestMapper> => createRestMapper(await discover(client.transport, signal));
  let mapper = await read();
  const lookUp = ({ object }: Manifest): ServedResource | undefined =>
    mapper.byKind(object.apiVersion, object.kind);
  const defined = new Set(manifests.flatMap(({ object }) => definedKinds(object)));
  const unknown = manifests.filter(
    (manifest) => !lookUp(manifest) && !defined.has(`${manifest.object.apiVersion} ${manifest.object.kind}`),
  );
  if (unknown.length > 0) throw new CliError(unknown.map(noMatch).join('\n'));
  return {
    async find(manifest) {
      const known = lookUp(manifest);
      if (known) return known;
      mapper = await read();
      const found = lookUp(manifest);
      if (!found) throw new CliError(noMatch(manifest));
      return found;
    },
  };
}

function noMatch({ object, file, line }: Manifest): string {
  return `no matches for kind "${object.kind}" in version "${object.apiVersion}" (${file}:${line})`;
}

function definedKinds(object: KubeObject): string[] {
  if (object.kind !== 'CustomResourceDefinition' || !('spec' in object) || !isObject(object.spec)) return [];
  const { group, names, versions } = object.spec;
  if (!isObject(names) || !Array.isArray(versions)) return [];
  return versions
    .filter(isObject)
    .map((version) => `${String(group)}/${String(version['name'])} ${String(names['kind'])}`);
}
