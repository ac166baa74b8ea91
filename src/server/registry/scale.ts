import { invalid } from '../../machinery/field-error.ts';
import { apiVersionOf, type DeepMutable, type KubeObject, type Live } from '../../machinery/object.ts';
import {
  managedAfterUpdate,
  managedApply,
  newUnconvertible,
  type ManagedWrite,
} from '../../machinery/managed-fields/field-manager.ts';
import { fieldsOfParent, fieldsOfScale } from '../../machinery/managed-fields/scale-fields.ts';
import type { ManagedFieldsEntry } from '../../machinery/meta/v1.gen.ts';
import { newInternalError, newInvalid, newMethodNotAllowed } from '../../machinery/status/errors.ts';
import { ageColumn } from '../../api/columns.ts';
import type { Column, ScaleMapping } from '../../api/resource.ts';
import { deepFreeze } from '../watch/deep-freeze.ts';
import type { Answer } from './answer.ts';
import { applyType, decodeApplied, readConfig, reportRepeated } from './apply.ts';
import { decodeBody, reportStrict, type Expected } from './codec.ts';
import { plainAnswer } from './create.ts';
import { checkPatchType, patched, readPatch, reportPatched } from './patch.ts';
import { replicasPaths, setManagedFields, writeOfPart } from './ownership.ts';
import { latestEntry } from './read.ts';
import { mutableCopy } from '../../machinery/mutable-copy.ts';
import type { Registry, RequestContext } from './request-context.ts';
import type { ServedVersion } from './served-resource.ts';
import { changeObject, checkName } from './update.ts';
import { matchNamespace } from './object-meta.ts';
import { writeOptions } from './write-options.ts';

const scaleMessage = 'io.k8s.api.autoscaling.v1.Scale';

type Entries = readonly ManagedFieldsEntry[];

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
  if (replicas === undefined && mapping.requiresReplicas) {
    throw newInternalError(
      `the spec replicas field ${JSON.stringify(mapping.specReplicasPath)} does not exist`,
    );
  }
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
  const reader = scaleReader(registry, served, context, expected);
  const paths = replicasPaths(served, mapping.specReplicasPath);
  const changed = await changeObject(registry, served, context, {
    dryRun: reader.dryRun,
    owners: 'given',
    part: {
      body: { kind: { group: 'autoscaling', version: 'v1', kind: 'Scale' }, schema: scaleMessage },
      show: (object) => mutableCopy<KubeObject>(scaleOf(object as Live<KubeObject>, mapping)),
      take: (next, scale) =>
        write(next, mapping.specReplicasPath, (scale as KubeObject as Scale).spec.replicas ?? 0),
    },
    async next(old) {
      const parent = old.metadata.managedFields;
      const { scale, managedFields } = await reader.read(scaleOf(old, mapping), fieldsOfScale(parent, paths));
      checkName(scale, request.name ?? '');
      const replicas = (scale as KubeObject as Scale).spec.replicas ?? 0;
      // The schema and the paths of a custom resource say what its numbers may be.
      if (replicas < 0 && !served.version.custom) {
        throw newInvalid({ group: 'autoscaling', kind: 'Scale' }, old.metadata.name, [
          invalid('spec.replicas', replicas, 'must be greater than or equal to 0'),
        ]);
      }
      const next = mutableCopy<KubeObject>(old);
      write(next, mapping.specReplicasPath, replicas);
      if (scale.metadata.resourceVersion) next.metadata.resourceVersion = scale.metadata.resourceVersion;
      if (scale.metadata.uid) next.metadata.uid = scale.metadata.uid;
      const owners = { parent, scale: managedFields };
      setManagedFields(next, fieldsOfParent(owners, paths, apiVersionOf(served.type)));
      return next;
    },
  });
  return answer(() => Promise.resolve(changed.object() as Live<KubeObject>));
}

/** A scale that a request asks for, and who owns its fields then. */
interface OwnedScale {
  readonly scale: DeepMutable<KubeObject>;
  readonly managedFields: Entries;
}

interface ScaleReader {
  readonly dryRun: boolean;
  read(current: Scale, fields: Entries): Promise<OwnedScale>;
}

function scaleReader(
  registry: Registry,
  served: ServedVersion,
  context: RequestContext,
  expected: Expected,
): ScaleReader {
  const { request } = context;
  if (request.verb === 'update') return scaleUpdate(registry, context, expected);
  checkPatchType(request.patchType);
  const options = writeOptions(request, 'PatchOptions');
  const { dryRun } = options;
  const live = (current: Scale, fields: Entries): ManagedWrite =>
    writeOfPart(registry, context, { message: scaleMessage, live: current, fields });
  if (request.patchType === applyType) {
    const { config, duplicates } = readConfig(context);
    const patch = { config, kind: expected.kind, force: options.force };
    return {
      dryRun,
      async read(current, fields) {
        const applied = await managedApply(live(current, fields), patch);
        reportRepeated(duplicates, context, options);
        // Upstream takes the scale of a custom resource for one of its versions.
        if (served.version.custom)
          throw newUnconvertible(config, 'request to convert CR to an invalid group/version: autoscaling/v1');
        return { scale: decodeApplied(applied, config, expected), managedFields: applied.managedFields };
      },
    };
  }
  const patch = readPatch(context.body, request.patchType);
  return {
    dryRun,
    async read(current, fields) {
      const warn = (message: string): void => context.warn(message);
      const scale = reportPatched(patched(patch, current, expected), options, warn);
      return { scale, managedFields: await managedAfterUpdate(live(current, fields), scale, undefined) };
    },
  };
}

function scaleUpdate(registry: Registry, context: RequestContext, expected: Expected): ScaleReader {
  const { request, body } = context;
  const options = writeOptions(request, 'UpdateOptions');
  if (!body) throw newMethodNotAllowed();
  const received = reportStrict(decodeBody(body, expected), expected, {
    mode: options.fieldValidation,
    warn: (message) => context.warn(message),
  });
  matchNamespace(received.metadata, true, request.namespace);
  return {
    dryRun: options.dryRun,
    async read(current, fields) {
      const change = writeOfPart(registry, context, { message: scaleMessage, live: current, fields });
      return {
        scale: received,
        managedFields: await managedAfterUpdate(change, received, undefined),
      };
    },
  };
}
