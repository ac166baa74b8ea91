import {
  type ValidatingAdmissionPolicy,
  validatingadmissionpolicies,
} from '../../api/admissionregistration/v1.gen.ts';
import type { Transport } from '../../machinery/transport.ts';
import { isStatus } from '../../machinery/status-error.ts';
import { unlessGone } from '../../machinery/unless-gone.ts';
import {
  type Controller,
  type ControllerContext,
  type Outcome,
  type RunningController,
  settled,
} from '../../reconcile/controller.ts';
import { startReconciler } from '../../reconcile/reconciler.ts';
import { type Kind, type OpenApiDocument, publishedTypes } from './open-api-types.ts';
import {
  checkPolicyTypes,
  type CheckTypes,
  mostKinds,
  type NamedResource,
  namedResources,
  type TypedKind,
} from './type-check.ts';

const name = 'validatingadmissionpolicy-status-controller';

/** Writes into the status of validating policies what of their expressions does not fit the kinds that they are about. */
export const validatingPolicyStatusController: Controller = {
  name,
  aliases: ['validatingadmissionpolicy-status'],
  start,
};

function start(context: ControllerContext): RunningController {
  const { client, informers } = context;
  const cache = informers.for(validatingadmissionpolicies);
  const reconciler = startReconciler(context, { name, caches: [cache], reconcile });
  cache.addHandler({
    onAdd: ({ metadata }) => reconciler.add(metadata.name),
    onUpdate: ({ metadata }) => reconciler.add(metadata.name),
  });
  return reconciler;

  async function reconcile(key: string): Promise<Outcome> {
    const policy = cache.get(undefined, key);
    if (!policy) return settled;
    const { generation = 0 } = policy.metadata;
    if (generation <= (policy.status?.observedGeneration ?? 0)) return settled;
    const warnings = checkPolicyTypes(policy, await typesFor(client.transport, policy));
    const { group, version, resource } = validatingadmissionpolicies;
    try {
      await client.transport.request({
        verb: 'patch',
        group,
        version,
        resource,
        subresource: 'status',
        name: key,
        patchType: 'application/apply-patch+yaml',
        params: { fieldManager: 'validatingadmissionpolicy-status', force: 'true' },
        body: {
          apiVersion: `${group}/${version}`,
          kind: 'ValidatingAdmissionPolicy',
          metadata: { name: key },
          status: {
            observedGeneration: generation,
            typeChecking: warnings.length > 0 ? { expressionWarnings: warnings } : {},
          },
        },
      });
    } catch (error) {
      if (!isStatus(error, 'NotFound')) throw error;
    }
    return settled;
  }
}

async function typesFor(transport: Transport, policy: ValidatingAdmissionPolicy): Promise<CheckTypes> {
  const published = publishedTypes();
  const kinds: TypedKind[] = [];
  const documents = new Map<string, Promise<OpenApiDocument | undefined>>();
  const document = (path: string): Promise<OpenApiDocument | undefined> => {
    const known = documents.get(path) ?? read<OpenApiDocument>(transport, `/openapi/v3${path}`);
    documents.set(path, known);
    return known;
  };
  for (const resource of namedResources(policy)) {
    if (kinds.length === mostKinds) break;
    const kind = await kindOf(transport, resource);
    if (!kind || kinds.some((known) => sameKind(known, kind))) continue;
    const schemas = await document(pathOf(kind));
    const type = schemas && published.typeOf(schemas, kind);
    if (type) kinds.push({ ...kind, type });
  }
  const { paramKind } = policy.spec;
  const [version = '', group = ''] = (paramKind?.apiVersion ?? '').split('/').reverse();
  const named = { group, version, kind: paramKind?.kind ?? '' };
  const schemas = paramKind && (await document(pathOf(named)));
  const params = schemas && published.typeOf(schemas, named);
  return { types: published.types, kinds: kinds.toSorted(byKind), params };
}

function sameKind(a: Kind, b: Kind): boolean {
  return a.group === b.group && a.version === b.version && a.kind === b.kind;
}

function byKind(a: Kind, b: Kind): number {
  return `${a.group} ${a.version} ${a.kind}` < `${b.group} ${b.version} ${b.kind}` ? -1 : 1;
}

function pathOf({ group, version }: { readonly group: string; readonly version: string }): string {
  return group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
}

interface ResourceList {
  readonly resources?: readonly { readonly name: string; readonly kind: string }[];
}

async function kindOf(transport: Transport, named: NamedResource): Promise<Kind | undefined> {
  const { group, version, resource } = named;
  const list = await read<ResourceList>(transport, pathOf(named));
  const kind = list?.resources?.find((candidate) => candidate.name === resource)?.kind;
  return kind === undefined ? undefined : { group, version, kind };
}

/** What is not served is not there to be checked. */
async function read<T>(transport: Transport, path: string): Promise<T | undefined> {
  return (await unlessGone(transport.raw(path))) as T | undefined;
}
