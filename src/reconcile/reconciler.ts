import { WorkQueue } from '../base/queue.ts';
import type { BackoffPolicy } from '../base/backoff.ts';
import type { KubeObject } from '../machinery/object.ts';
import type { ControllerContext, Outcome, RunningController } from './controller.ts';
import type { Informer } from './informer.ts';
import { isNamespaceTerminating } from './namespace-terminating.ts';

export interface ReconcilerOptions {
  /** The controller's name, for failures. */
  readonly name: string;
  /** Nothing is reconciled before these hold their first list. */
  readonly caches: readonly { synced(): Promise<void> }[];
  /** How many keys at once. Default 5, as upstream's controllers. */
  readonly concurrency?: number;
  /** Default 5 ms doubling to 1000 s. */
  readonly backoff?: BackoffPolicy;
  /** Brings one object closer to what it should be. Throw to be called again after a backoff. */
  reconcile(key: string): Promise<Outcome>;
}

/** A running controller to which keys can be handed. */
export interface Reconciler extends RunningController {
  /** Reconciles `key` soon. */
  add(key: string): void;
  /** Reconciles `key` in `ms` milliseconds. */
  addAfter(key: string, ms: number): void;
}

/** Starts the loop of a controller: keys in, one reconciliation at a time for each. */
export function startReconciler(context: ControllerContext, options: ReconcilerOptions): Reconciler {
  const synced = Promise.all(options.caches.map((cache) => cache.synced()));
  const stopped = new Promise<void>((resolve) =>
    context.signal.addEventListener('abort', () => resolve(), { once: true }),
  );
  const ready = Promise.race([synced, stopped]);
  const queue = new WorkQueue<string>({
    clock: context.clock,
    concurrency: options.concurrency ?? 5,
    ...(options.backoff && { backoff: options.backoff }),
    async process(key) {
      await ready;
      if (context.signal.aborted) return undefined;
      try {
        const outcome = await options.reconcile(key);
        return outcome.state === 'recheck' ? outcome.ms : undefined;
      } catch (error) {
        // The object is about to go as well.
        if (isNamespaceTerminating(error)) return undefined;
        throw error;
      }
    },
    ...(context.observeQueue && { observer: context.observeQueue(options.name) }),
    onFailure: (key, error, { failures, retryMs }) =>
      context.onFailure?.({ controller: options.name, key, error, failures, retryMs }),
  });
  context.signal.addEventListener('abort', () => void queue.stop(), { once: true });
  return {
    add: (key) => queue.add(key),
    addAfter: (key, ms) => queue.addAfter(key, ms),
    stop: () => queue.stop(),
  };
}

/** `namespace/name`, or the name alone. */
export function objectKey(object: KubeObject): string {
  const { namespace, name = '' } = object.metadata;
  return namespace === undefined ? name : `${namespace}/${name}`;
}

/** Takes a key of {@link objectKey} apart. */
export function parseKey(key: string): { readonly namespace?: string; readonly name: string } {
  const slash = key.indexOf('/');
  if (slash < 0) return { name: key };
  return { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}

/** Looks an object up by its key. */
export function byKey<T extends KubeObject>(
  informer: Informer<T>,
  key: string,
): ReturnType<Informer<T>['get']> {
  const { namespace, name } = parseKey(key);
  return informer.get(namespace, name);
}
