import { createClient } from '../../client/create-client.ts';
import type { Client } from '../../client/client.ts';
import type { KubeObject } from '../../machinery/object.ts';
import { newAlreadyExists, newNotFound } from '../../machinery/status/errors.ts';
import type { ApiRequest, Transport, TransportEvent } from '../../machinery/transport.ts';

type Json = Record<string, unknown>;
type Stored = KubeObject & { readonly spec?: Json; readonly status?: Json };

/** A small API server in memory: enough of list, watch, status patches and graceful deletion to test a node against. */
export class FakeApi {
  readonly client: Client;
  readonly requests: ApiRequest[] = [];
  readonly #objects = new Map<string, Stored>();
  readonly #log: { readonly version: number; readonly key: string; readonly event: TransportEvent }[] = [];
  readonly #watchers = new Set<() => void>();
  #version = 0;

  constructor() {
    const transport: Transport = {
      request: (request) => Promise.resolve().then(() => this.#answer(request)),
      watch: (request) => this.#watch(request),
      raw: () => Promise.resolve({}),
      close: () => Promise.resolve(),
    };
    this.client = createClient(transport);
  }

  /** Creates or replaces an object, as some client would. */
  put(resource: string, object: KubeObject): Stored {
    const { namespace, name = '' } = object.metadata;
    const key = keyOf(resource, namespace, name);
    const held = this.#objects.get(key);
    return this.#save(key, {
      ...object,
      metadata: {
        uid: held?.metadata.uid ?? `uid-${name}`,
        creationTimestamp: '2026-01-01T00:00:00Z',
        generation: 1,
        ...object.metadata,
      },
    });
  }

  get(resource: string, namespace: string | undefined, name: string): Stored | undefined {
    return this.#objects.get(keyOf(resource, namespace, name));
  }

  /** Marks a pod as to be deleted, as a graceful DELETE does. */
  markDeleted(namespace: string, name: string, deletionGracePeriodSeconds: number): void {
    const pod = this.get('pods', namespace, name);
    if (!pod) return;
    const metadata = {
      ...pod.metadata,
      deletionTimestamp: '2026-01-01T00:00:30Z',
      deletionGracePeriodSeconds,
    };
    this.#save(keyOf('pods', namespace, name), { ...pod, metadata });
  }

  /** Removes an object at once. */
  remove(resource: string, namespace: string | undefined, name: string): void {
    const key = keyOf(resource, namespace, name);
    const held = this.#objects.get(key);
    if (!held) return;
    this.#objects.delete(key);
    const metadata = { ...held.metadata, resourceVersion: String(++this.#version) };
    this.#tell(key, { type: 'DELETED', object: { ...held, metadata } });
  }

  #save(key: string, object: Stored): Stored {
    const type = this.#objects.has(key) ? 'MODIFIED' : 'ADDED';
    const stored = { ...object, metadata: { ...object.metadata, resourceVersion: String(++this.#version) } };
    this.#objects.set(key, stored);
    this.#tell(key, { type, object: stored });
    return stored;
  }

  #tell(key: string, event: TransportEvent): void {
    this.#log.push({ version: this.#version, key, event });
    for (const wake of this.#watchers) wake();
  }

  #answer(request: ApiRequest): unknown {
    this.requests.push(request);
    const { resource, namespace, name = '', verb } = request;
    const body = request.body as Stored;
    const key = keyOf(resource, namespace, name);
    if (verb === 'list') {
      const items = [...this.#objects]
        .filter(([at, object]) => selected(request, at, object))
        .map(([, object]) => object);
      return { apiVersion: 'v1', kind: 'List', metadata: { resourceVersion: String(this.#version) }, items };
    }
    if (verb === 'create' && request.subresource === 'token') {
      return { ...body, status: { token: `token-${name}`, expirationTimestamp: '2027-01-01T00:00:00Z' } };
    }
    if (verb === 'create') {
      const made = keyOf(resource, namespace, body.metadata.name ?? '');
      if (this.#objects.has(made)) throw newAlreadyExists({ group: '', resource }, body.metadata.name ?? '');
      return this.put(resource, body);
    }
    const held = this.#objects.get(key);
    if (!held) throw newNotFound({ group: '', resource }, name);
    if (verb === 'patch') return this.#save(key, patched(held, body));
    if (verb === 'update') return this.#save(key, { ...held, ...body });
    if (verb === 'delete') this.remove(resource, namespace, name);
    return held;
  }

  async *#watch(request: ApiRequest): AsyncGenerator<TransportEvent> {
    let wake = (): void => undefined;
    const notice = (): void => wake();
    let position = this.#log.findIndex(
      ({ version }) => version > Number(request.params?.['resourceVersion'] ?? 0),
    );
    if (position < 0) position = this.#log.length;
    this.#watchers.add(notice);
    request.signal?.addEventListener('abort', notice);
    try {
      while (request.signal?.aborted !== true) {
        const next = this.#log[position];
        if (!next) await new Promise<void>((resolve) => (wake = resolve));
        else {
          position++;
          if (selected(request, next.key, next.event.object)) yield next.event;
        }
      }
    } finally {
      this.#watchers.delete(notice);
      request.signal?.removeEventListener('abort', notice);
    }
  }
}

function keyOf(resource: string, namespace: string | undefined, name: string): string {
  return `${resource}/${namespace ?? ''}/${name}`;
}

function selected({ resource, namespace, params }: ApiRequest, key: string, object: Stored): boolean {
  const prefix = namespace === undefined ? `${resource}/` : `${resource}/${namespace}/`;
  if (!key.startsWith(prefix)) return false;
  const selector = params?.['fieldSelector'];
  if (selector === undefined) return true;
  const [field, value] = selector.split('=');
  return (field === 'metadata.name' ? object.metadata.name : object.spec?.['nodeName']) === value;
}

/** A strategic merge of metadata and status, with conditions merged by type. */
function patched(held: Stored, patch: Stored): Stored {
  const conditions = new Map<unknown, Json>();
  for (const one of [...listOf(held.status?.['conditions']), ...listOf(patch.status?.['conditions'])]) {
    const merged = { ...conditions.get(one['type']), ...one };
    conditions.set(
      one['type'],
      Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== null)),
    );
  }
  const withoutDirectives = Object.fromEntries(
    Object.entries(patch.status ?? {}).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.filter((one: Json) => one['$patch'] === undefined) : value,
    ]),
  );
  const merged = { ...held.status, ...withoutDirectives };
  return {
    ...held,
    metadata: { ...held.metadata, ...patch.metadata },
    status: conditions.size === 0 ? merged : { ...merged, conditions: [...conditions.values()] },
  };
}

function listOf(value: unknown): readonly Json[] {
  return Array.isArray(value) ? (value as readonly Json[]) : [];
}
