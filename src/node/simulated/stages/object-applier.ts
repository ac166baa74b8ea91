import type { Client } from '../../../client/client.ts';
import { createRestMapper, discover, type RestMapper } from '../../../client/discovery.ts';
import type { KubeObject, ResourceType } from '../../../machinery/object.ts';
import { isStatus } from '../../../machinery/status-error.ts';
import type { PatchType } from '../../../machinery/transport.ts';

/** How an object that is there already is changed. */
export interface ApplyOptions {
  readonly patchType: PatchType;
  /** Only this part of an object that exists is changed. */
  readonly subresource: string | undefined;
  /** Where the object goes when it names no namespace and needs one. */
  readonly namespace: string | undefined;
}

/** Makes an object of any kind, or changes the one of its name. */
export type ApplyObject = (object: unknown, options: ApplyOptions) => Promise<void>;

/** The field manager of what stages apply, as KWOK's. */
const fieldManager = 'kwok';
const serverSide: PatchType = 'application/apply-patch+yaml';

/** Makes objects of whatever kinds the server serves; what it serves is asked when a kind is not known yet. */
export function objectApplier(client: Client): ApplyObject {
  let mapper: RestMapper | undefined;

  return async (object, { patchType, subresource, namespace }) => {
    if (!isObject(object))
      throw new Error('the template to apply must yield an object with apiVersion and kind');
    const type = await typeOf(object);
    const resource = client.for(type);
    const { metadata } = object;
    const placed: KubeObject = {
      ...object,
      metadata: {
        ...metadata,
        ...(type.namespaced && { namespace: metadata.namespace ?? namespace ?? 'default' }),
      },
    };
    if (subresource === undefined) {
      try {
        await resource.create(placed, { fieldManager });
        return;
      } catch (error) {
        if (!isStatus(error, 'AlreadyExists') || metadata.name === undefined) throw error;
      }
    }
    const { group, version, resource: plural } = type;
    const { name, namespace: within } = placed.metadata;
    await client.transport.request({
      verb: 'patch',
      group,
      version,
      resource: plural,
      ...(within !== undefined && { namespace: within }),
      ...(name !== undefined && { name }),
      ...(subresource !== undefined && { subresource }),
      patchType,
      params: { fieldManager, ...(patchType === serverSide && { force: 'true' }) },
      body: placed,
    });
  };

  async function typeOf({ apiVersion, kind }: Identified): Promise<ResourceType<KubeObject>> {
    const known = found(apiVersion, kind);
    if (known) return known;
    mapper = createRestMapper(await discover(client.transport));
    const served = found(apiVersion, kind);
    if (served) return served;
    throw new Error(`a stage applies a ${apiVersion} ${kind}, which the server does not serve`);
  }

  function found(apiVersion: string, kind: string): ResourceType<KubeObject> | undefined {
    return mapper?.byKind(apiVersion, kind)?.type;
  }
}

type Identified = KubeObject & { readonly apiVersion: string; readonly kind: string };

function isObject(value: unknown): value is Identified {
  if (typeof value !== 'object' || value === null) return false;
  const { apiVersion, kind, metadata } = value as Partial<
    Record<'apiVersion' | 'kind' | 'metadata', unknown>
  >;
  return (
    typeof apiVersion === 'string' &&
    typeof kind === 'string' &&
    typeof metadata === 'object' &&
    metadata !== null
  );
}
