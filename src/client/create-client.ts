import {
  apiVersionOf,
  type KubeObject,
  type Live,
  type ObjectList,
  type ResourceType,
} from '../machinery/object.ts';
import type { Status } from '../machinery/meta/v1.gen.ts';
import { StatusError } from '../machinery/status-error.ts';
import type { ApiRequest, Transport, Verb } from '../machinery/transport.ts';
import type {
  Client,
  DeleteOptions,
  ListOptions,
  ObjectRef,
  ResourceClient,
  WatchEvent,
  WatchOptions,
  WriteOptions,
} from './client.ts';

/** The client of everything above the server, over any transport. */
export function createClient(transport: Transport): Client {
  return { transport, for: (type) => resourceClient(transport, type) };
}

function resourceClient<T extends KubeObject>(
  transport: Transport,
  type: ResourceType<T>,
): ResourceClient<T> {
  const { group, version, resource } = type;

  function request(verb: Verb, parts: Partial<ApiRequest>): ApiRequest {
    return { verb, group, version, resource, ...parts };
  }
  async function one(verb: Verb, parts: Partial<ApiRequest>): Promise<Live<T>> {
    return (await transport.request(request(verb, parts))) as Live<T>;
  }
  function update(object: T, subresource: string | undefined, options: WriteOptions): Promise<Live<T>> {
    return one('update', {
      ...place(object.metadata),
      ...(subresource !== undefined && { subresource }),
      body: complete(type, object),
      ...writeParts(options),
    });
  }

  return {
    type,
    get: (ref, options = {}) => one('get', { ...place(ref), ...options }),
    list: async (options = {}) =>
      (await transport.request(request('list', listParts(options)))) as ObjectList<T>,
    watch: (options) => watch(transport, request('watch', listParts(options))),
    create: (object, options = {}) =>
      one('create', {
        ...(object.metadata.namespace !== undefined && { namespace: object.metadata.namespace }),
        body: complete(type, object),
        ...writeParts(options),
      }),
    update: (object, options = {}) => update(object, undefined, options),
    updateStatus: (object, options = {}) => update(object, 'status', options),
    patch: (ref, patch, options) =>
      one('patch', {
        ...place(ref),
        ...(options.subresource !== undefined && { subresource: options.subresource }),
        patchType: options.type,
        body: patch,
        ...writeParts(options),
      }),
    delete: (ref, options = {}) =>
      transport.request(request('delete', { ...place(ref), ...deleteParts(options) })),
    deleteCollection: (list, options = {}) =>
      transport.request(request('deletecollection', { ...listParts(list), ...deleteParts(options) })),
    createSubresource: async <R>(ref: ObjectRef, subresource: string, body: unknown) =>
      (await transport.request(request('create', { ...place(ref), subresource, body }))) as R,
  };
}

async function* watch<T extends KubeObject>(
  transport: Transport,
  request: ApiRequest,
): AsyncGenerator<WatchEvent<T>> {
  for await (const { type, object } of transport.watch(request)) {
    if (type === 'ERROR') throw watchError(object);
    yield { type, object: object as Live<T> };
  }
}

function watchError(object: unknown): StatusError {
  const status = object as Status;
  return new StatusError({
    ...status,
    code: status.code ?? 500,
    reason: status.reason ?? 'InternalError',
    message: status.message ?? 'the watch ended with an error',
  });
}

function complete<T extends KubeObject>(type: ResourceType<T>, object: T): T {
  if (object.kind && object.apiVersion) return object;
  return { ...object, apiVersion: apiVersionOf(type), kind: type.kind };
}

function place(ref: { readonly namespace?: string; readonly name?: string }): Partial<ApiRequest> {
  return {
    ...(ref.namespace !== undefined && { namespace: ref.namespace }),
    ...(ref.name !== undefined && { name: ref.name }),
  };
}

function listParts(options: ListOptions & WatchOptions): Partial<ApiRequest> {
  const { namespace, signal, ...rest } = options;
  return {
    ...(namespace !== undefined && { namespace }),
    ...(signal && { signal }),
    params: textParams(rest),
  };
}

function writeParts({ dryRun, fieldManager, fieldValidation, signal }: WriteOptions): Partial<ApiRequest> {
  const params = textParams({ dryRun: dryRun ? 'All' : undefined, fieldManager, fieldValidation });
  return { ...(Object.keys(params).length > 0 && { params }), ...(signal && { signal }) };
}

/** A server that finds options in the body reads none from the query. */
function deleteParts({ dryRun, signal, ...options }: DeleteOptions): Partial<ApiRequest> {
  const body = { ...options, ...(dryRun && { dryRun: ['All'] }) };
  return {
    ...(Object.keys(body).length > 0 && {
      body: { kind: 'DeleteOptions', apiVersion: 'meta.k8s.io/v1', ...body },
    }),
    ...(signal && { signal }),
  };
}

function textParams(
  values: Readonly<Record<string, string | number | boolean | undefined>>,
): Record<string, string> {
  const params: Record<string, string> = {};
  for (const [name, value] of Object.entries(values)) {
    if (value !== undefined && value !== '') params[name] = String(value);
  }
  return params;
}
