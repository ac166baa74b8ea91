import { invalid } from '../../machinery/field-error.ts';
import type { DeepMutable, KubeObject, Live } from '../../machinery/object.ts';
import { newInvalid, newMethodNotAllowed } from '../../machinery/status/errors.ts';
import { ageColumn } from '../../api/columns.ts';
import type { Column, ScaleMapping } from '../../api/resource.ts';
import { deepFreeze } from '../watch/deep-freeze.ts';
import type { Answer } from './answer.ts';
import { decodeBody, reportStrict, type Expected } from './codec.ts';
import { plainAnswer } from './create.ts';
import { patched, patchTypes, readPatch, reportPatched } from './patch.ts';
import { latestEntry } from './read.ts';
import { mutableCopy } from '../../machinery/mutable-copy.ts';
import type { Registry, RequestContext } from './request-context.ts';
import type { ServedVersion } from './served-resource.ts';
import { changeObject, checkName } from './update.ts';
import { matchNamespace } from './object-meta.ts';
import { writeOptions } from './write-options.ts';
import { newUnsupportedMediaType } from '../../machinery/status/errors.ts';

const scaleMessage = 'io.k8s.api.autoscaling.v1.Scale';

interface Scale extends KubeObject {
  readonly spec: { readonly replicas?: number };
  readonly status: { readonly replicas: number; readonly selector?: string };
}

/** A column of scales; they are of no resource whose definition could declare it. */
function scaleColumn(
  name: string,
  type: Column<Scale>['type'],
  cell: Column<Scale>['cell'],
): Column<KubeObject> {
  return { name, type, cell: (object, now) => cell(object as Scale, now) };
}

const scaleColumns: readonly Column<KubeObject>[] = [
  scaleColumn('Name', 'string', ({ metadata }) => metadata.name ?? ''),
  scaleColumn('Desired', 'integer', ({ spec }) => spec.replicas ?? 0),
  scaleColumn('Available', 'integer', ({ status }) => status.replicas),
  ageColumn(),
];

function read(object: unknown, path: string): unknown {
  return path
    .split('.')
    .filter((step) => step !== '')
    .reduce<unknown>(
      (at, step) =>
        typeof at === 'object' && at !== null && Object.hasOwn(at, step)
          ? (at as Record<string, unknown>)[step]
          : undefined,
      object,
    );
}

function write(object: Record<string, unknown>, path: string, value: unknown): void {
  const steps = path.split('.').filter((step) => step !== '');
  const last = steps.pop();
  let at = object;
  for (const step of steps) {
    const next = (at[step] ?? {}) as Record<string, unknown>;
    at[step] = next;
    at = next;
  }
  if (last !== undefined) at[last] = value;
}

function scaleOf(object: Live<KubeObject>, mapping: ScaleMapping): Scale {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  const replicas = read(object, mapping.specReplicasPath);
  const selector = mapping.selector(object as never);
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      uid,
      resourceVersion,
      creationTimestamp,
    },
    spec: replicas ? { replicas: Number(replicas) } : {},
    status: {
      replicas: Number(read(object, mapping.statusReplicasPath) ?? 0),
      ...(selector === '' ? {} : { selector }),
    },
  };
}

/** GET, PUT and PATCH of `scale`. */
export async function scaleObject(
  registry: Registry,
  served: ServedVersion,
  context: RequestContext,
): Promise<Answer> {
  const { request } = context;
  const mapping = served.resource.definition.scale;
  if (!mapping) throw newMethodNotAllowed();
  const answer = async (object: () => Promise<Live<KubeObject>>): Promise<Answer> => ({
    ...plainAnswer(deepFreeze(scaleOf(await object(), mapping)), 200, undefined, scaleMessage),
    columns: scaleColumns,
  });
  const { cache } = served.resource;
  if (request.verb === 'get') {
    return answer(async () => cache.object(await latestEntry(registry, served, request)));
  }
  const expected: Expected = {
    table: registry.schema,
    message: scaleMessage,
    group: 'autoscaling',
    version: 'v1',
    kind: 'Scale',
  };
  const wanted = scaleReader(context, expected);
  const changed = await changeObject(registry, served, context, {
    dryRun: wanted.dryRun,
    next: (old) => {
      const scale = wanted.scale(scaleOf(old, mapping)) as KubeObject as Scale;
      checkName(scale, request.name ?? '');
      const replicas = scale.spec.replicas ?? 0;
      if (replicas < 0) {
        throw newInvalid({ group: 'autoscaling', kind: 'Scale' }, old.metadata.name, [
          invalid('spec.replicas', replicas, 'must be greater than or equal to 0'),
        ]);
      }
      const next = mutableCopy<KubeObject>(old);
      write(next, mapping.specReplicasPath, replicas);
      if (scale.metadata.resourceVersion) next.metadata.resourceVersion = scale.metadata.resourceVersion;
      if (scale.metadata.uid) next.metadata.uid = scale.metadata.uid;
      return next;
    },
  });
  return answer(() => Promise.resolve(changed.object() as Live<KubeObject>));
}

function scaleReader(
  context: RequestContext,
  expected: Expected,
): { readonly dryRun: boolean; scale(current: Scale): DeepMutable<KubeObject> } {
  const { request, body } = context;
  const warn = (message: string): void => context.warn(message);
  if (request.verb === 'update') {
    const options = writeOptions(request, 'UpdateOptions');
    if (!body) throw newMethodNotAllowed();
    const received = reportStrict(decodeBody(body, expected), expected, {
      mode: options.fieldValidation,
      warn,
    });
    matchNamespace(received.metadata, true, request.namespace);
    return { dryRun: options.dryRun, scale: () => received };
  }
  const { patchType } = request;
  if (patchType === undefined || !patchTypes.includes(patchType)) throw newUnsupportedMediaType(patchTypes);
  const options = writeOptions(request, 'PatchOptions');
  const patch = readPatch(body, patchType);
  return {
    dryRun: options.dryRun,
    scale: (current) => reportPatched(patched(patch, current, expected), options, warn),
  };
}
