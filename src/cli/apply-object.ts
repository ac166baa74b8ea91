import type { Client } from '../client/client.ts';
import type { ServedResource } from '../client/discovery.ts';
import type { KubeObject } from '../machinery/object.ts';
import type { JsonObject } from '../machinery/patch/json-value.ts';
import { threeWayMergePatch, threeWayStrategicMergePatch } from '../machinery/patch/three-way.ts';
import { kubernetesSchema } from '../machinery/schema/table.ts';
import { isStatus } from '../machinery/status-error.ts';
import type { PatchType } from '../machinery/transport.ts';
import { lastApplied, withLastApplied } from './last-applied.ts';
import { schemaName } from './schema-name.ts';

export type ApplyOutcome = 'created' | 'configured' | 'unchanged';

export interface ApplyOptions {
  /** `client` sends nothing but reads; `server` lets the server try. */
  readonly dryRun?: 'client' | 'server';
  readonly fieldValidation?: 'Strict' | 'Warn' | 'Ignore';
  readonly signal?: AbortSignal;
}

export interface Applied {
  readonly outcome: ApplyOutcome;
  /** As the server has it now; with a dry run of the client, as it was read or is wanted. */
  readonly object: KubeObject;
}

const fieldManager = 'kubectl-client-side-apply';
const attempts = 5;

/**
 * Creates the object, or changes it by what differs among the last applied, the wanted and the present state: client-side
 * `kubectl apply`, with its annotation and its patches. `object` carries its namespace. Throws `StatusError`.
 */
export async function applyObject(
  client: Client,
  served: ServedResource,
  { object, options }: { readonly object: KubeObject; readonly options: ApplyOptions },
): Promise<Applied> {
  const resource = client.for(served.type);
  const wanted = withLastApplied(object);
  const ref = refOf(object);
  const write = {
    fieldManager,
    fieldValidation: options.fieldValidation ?? 'Strict',
    ...(options.dryRun === 'server' && { dryRun: true }),
    ...(options.signal && { signal: options.signal }),
  } as const;
  for (let attempt = 1; ; attempt += 1) {
    try {
      const present = await resource.get(ref, write);
      const { patch, type } = patchBetween({ original: lastApplied(present) ?? {}, wanted, present });
      if (Object.keys(patch).length === 0) return { outcome: 'unchanged', object: present };
      if (options.dryRun === 'client') return { outcome: 'configured', object: present };
      const next = await resource.patch(ref, patch, { ...write, type });
      // A patch may turn out to say what the server has already, in other words.
      const same = next.metadata.resourceVersion === present.metadata.resourceVersion && !options.dryRun;
      return { outcome: same ? 'unchanged' : 'configured', object: next };
    } catch (error) {
      if (isStatus(error, 'Conflict') && attempt < attempts) continue;
      if (!isStatus(error, 'NotFound')) throw error;
      if (options.dryRun === 'client') return { outcome: 'created', object: wanted };
      return { outcome: 'created', object: await resource.create(wanted, write) };
    }
  }
}

function refOf({ metadata }: KubeObject): { readonly name: string; readonly namespace?: string } {
  return {
    name: metadata.name ?? '',
    ...(metadata.namespace !== undefined && { namespace: metadata.namespace }),
  };
}

interface States {
  readonly original: JsonObject;
  readonly wanted: KubeObject;
  readonly present: KubeObject;
}

/** Strategic for kinds of Kubernetes' own, which say how their lists merge; a JSON merge patch for all others. */
function patchBetween({ original, wanted, present }: States): {
  readonly patch: JsonObject;
  readonly type: PatchType;
} {
  const states = { original, modified: { ...wanted }, current: { ...present } };
  const table = kubernetesSchema();
  const message = schemaName(table, wanted.apiVersion, wanted.kind);
  if (message === undefined)
    return { patch: threeWayMergePatch(states), type: 'application/merge-patch+json' };
  return {
    patch: threeWayStrategicMergePatch(states, { table, message }),
    type: 'application/strategic-merge-patch+json',
  };
}
