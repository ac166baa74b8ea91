import type { Clock } from '../base/clock.ts';
import type { Client, ResourceClient } from '../client/client.ts';
import { configmaps, secrets, type ConfigMap, type Secret } from '../api/core/v1.gen.ts';
import type { KubeObject, Live, ResourceType } from '../machinery/object.ts';
import { reflect } from '../reconcile/reflector.ts';
import { selecting } from './selecting.ts';

/** The config maps and secrets that one pod refers to; what was asked for once is watched until `close`. */
export interface PodConfig {
  /** Undefined when it does not exist; throws `StatusError` when the API refuses. */
  configMap(name: string): Promise<Live<ConfigMap> | undefined>;
  secret(name: string): Promise<Live<Secret> | undefined>;
  close(): void;
}

/** Watches single config maps and secrets, each once however many pods refer to it. */
export interface ConfigSource {
  /** `onChange` is called when an object that the pod has asked for changes, appears or goes. */
  forPod(namespace: string, onChange: () => void): PodConfig;
}

/** The {@link ConfigSource} that reads through `client`. */
export function createConfigSource(options: {
  readonly client: Client;
  readonly clock: Clock;
}): ConfigSource {
  const watched = new Map<string, WatchedObject<KubeObject>>();

  function acquire<T extends KubeObject>(
    type: ResourceType<T>,
    ref: { readonly namespace: string; readonly name: string },
    listener: () => void,
  ): WatchedObject<T> {
    const key = `${type.resource}/${ref.namespace}/${ref.name}`;
    let object = watched.get(key) as WatchedObject<T> | undefined;
    if (!object) {
      const fieldSelector = `metadata.name=${ref.name}`;
      const resource = selecting(options.client.for(type), { namespace: ref.namespace, fieldSelector });
      object = new WatchedObject(resource, options.clock);
      watched.set(key, object);
    }
    object.listeners.add(listener);
    return object;
  }

  return {
    forPod(namespace, onChange) {
      const held = new Map<string, WatchedObject<KubeObject>>();
      async function read<T extends KubeObject>(
        type: ResourceType<T>,
        name: string,
      ): Promise<Live<T> | undefined> {
        const key = `${type.resource}/${name}`;
        const object =
          (held.get(key) as WatchedObject<T> | undefined) ?? acquire(type, { namespace, name }, onChange);
        held.set(key, object);
        return object.read();
      }
      return {
        configMap: (name) => read(configmaps, name),
        secret: (name) => read(secrets, name),
        close: () => {
          for (const object of held.values()) object.listeners.delete(onChange);
          held.clear();
          for (const [key, object] of watched) {
            if (object.listeners.size > 0) continue;
            object.stop();
            watched.delete(key);
          }
        },
      };
    },
  };
}

interface Waiter<T> {
  resolve(value: Live<T> | undefined): void;
  reject(error: unknown): void;
}

class WatchedObject<T extends KubeObject> {
  readonly listeners = new Set<() => void>();
  readonly #stopping = new AbortController();
  readonly #waiters: Waiter<T>[] = [];
  #value: Live<T> | undefined;
  #known = false;

  constructor(resource: ResourceClient<T>, clock: Clock) {
    void reflect({
      resource,
      clock,
      signal: this.#stopping.signal,
      replace: (objects) => this.#set(objects[0]),
      apply: (event) => this.#set(event.type === 'DELETED' ? undefined : event.object),
      onError: (error) => {
        for (const waiter of this.#waiters.splice(0)) waiter.reject(error);
      },
    });
  }

  /** Waits for the first answer of the API; afterwards answers from what the watch has brought. */
  read(): Promise<Live<T> | undefined> {
    if (this.#known) return Promise.resolve(this.#value);
    return new Promise((resolve, reject) => this.#waiters.push({ resolve, reject }));
  }

  stop(): void {
    this.#stopping.abort();
    for (const waiter of this.#waiters.splice(0)) waiter.resolve(undefined);
  }

  #set(value: Live<T> | undefined): void {
    const changed = this.#value?.metadata.resourceVersion !== value?.metadata.resourceVersion;
    const first = !this.#known;
    this.#value = value;
    this.#known = true;
    for (const waiter of this.#waiters.splice(0)) waiter.resolve(value);
    if (changed && !first) for (const listener of this.listeners) listener();
  }
}
