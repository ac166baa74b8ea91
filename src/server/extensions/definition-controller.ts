import { sameValue } from '../../machinery/same-value.ts';
import { cleanupFinalizer } from '../../api/apiextensions/custom-resource-definitions.ts';
import { isTrue, setCondition } from '../../api/apiextensions/definition-conditions.ts';
import {
  customresourcedefinitions,
  type CustomResourceDefinition,
  type CustomResourceDefinitionStatus,
} from '../../api/apiextensions/v1.gen.ts';
import type { Clock } from '../../base/clock.ts';
import { WorkQueue } from '../../base/queue.ts';
import { mutableCopy } from '../../machinery/mutable-copy.ts';
import type { DeepMutable, Live } from '../../machinery/object.ts';
import { StatusError } from '../../machinery/status-error.ts';
import type { ApiRequest, Transport } from '../../machinery/transport.ts';
import type { Lookup } from '../admission/lookup.ts';
import { storageKey } from '../registry/served-resource.ts';
import { desiredStatus } from './accepted-names.ts';
import type { CustomResources } from './custom-resources.ts';

export interface DefinitionControllerOptions {
  readonly clock: Clock;
  readonly lookup: Lookup;
  readonly resources: CustomResources;
  /** The server itself. */
  server(): Transport;
  onFault(error: unknown): void;
}

const pollMs = 250;

/** Keeps the conditions and accepted names of definitions, and removes the objects of those that are deleted. */
export class DefinitionController {
  readonly #options: DefinitionControllerOptions;
  readonly #queue: WorkQueue<string>;

  constructor(options: DefinitionControllerOptions) {
    this.#options = options;
    this.#queue = new WorkQueue({
      clock: options.clock,
      backoff: { baseMs: 10, maxMs: 5000 },
      process: (name) => this.#process(name),
      onFailure: (_name, error) => {
        const passing = error instanceof StatusError && [404, 409].includes(error.status.code);
        if (!passing) options.onFault(error);
      },
    });
  }

  /** Looks at a definition, and at those of its group when it is gone. */
  add(name: string, group: string, change: 'changed' | 'gone'): void {
    if (change === 'changed') {
      this.#queue.add(name);
      return;
    }
    for (const other of this.#options.lookup.list(customresourcedefinitions)) {
      if (other.spec.group === group) this.#queue.add(other.metadata.name);
    }
  }

  stop(): Promise<void> {
    return this.#queue.stop();
  }

  async #process(name: string): Promise<number | undefined> {
    const definition = this.#options.lookup.get(customresourcedefinitions, '', name);
    if (!definition) return undefined;
    if (definition.metadata.deletionTimestamp) return this.#finalize(definition);
    const { lookup, clock } = this.#options;
    const status = desiredStatus(definition, lookup.list(customresourcedefinitions), clock.now());
    await this.#putStatus(definition, status);
    return undefined;
  }

  async #putStatus(
    definition: Live<CustomResourceDefinition>,
    status: DeepMutable<CustomResourceDefinitionStatus>,
  ): Promise<void> {
    if (sameValue(definition.status, status)) return;
    await this.#updateStatus({ ...definition, status });
  }

  async #updateStatus(body: CustomResourceDefinition): Promise<void> {
    const { group, version, resource } = customresourcedefinitions;
    const request: ApiRequest = {
      verb: 'update',
      group,
      version,
      resource,
      subresource: 'status',
      name: body.metadata.name ?? '',
      params: { fieldManager: 'kube-apiserver' },
      body,
    };
    await this.#options.server().request(request);
  }

  /** Upstream's finalizing controller. Resolves to when to look again while objects are left. */
  async #finalize(definition: Live<CustomResourceDefinition>): Promise<number | undefined> {
    const { finalizers = [], name } = definition.metadata;
    if (!finalizers.includes(cleanupFinalizer)) return undefined;
    if (isTrue(definition, 'Established')) {
      const started = definition.status?.conditions.find(({ type }) => type === 'Terminating');
      if (started?.reason !== 'InstanceDeletionInProgress') {
        await this.#putStatus(definition, this.#terminating(definition, 'True'));
        return 0;
      }
      if (await this.#deleteObjects(name)) return pollMs;
    }
    const status = this.#terminating(definition, 'False');
    const rest = finalizers.filter((one) => one !== cleanupFinalizer);
    const metadata = { ...definition.metadata, finalizers: rest };
    // As a change of the status, which holds also for a definition that no longer meets its rules.
    await this.#updateStatus({ ...definition, metadata, status });
    return undefined;
  }

  #terminating(
    { status }: CustomResourceDefinition,
    state: 'True' | 'False',
  ): DeepMutable<CustomResourceDefinitionStatus> {
    const next = mutableCopy<CustomResourceDefinitionStatus>(
      status ?? { acceptedNames: { plural: '', kind: '' }, conditions: [], storedVersions: [] },
    );
    const running = state === 'True';
    setCondition(next, this.#options.clock.now(), {
      type: 'Terminating',
      status: state,
      reason: running ? 'InstanceDeletionInProgress' : 'InstanceDeletionCompleted',
      message: running ? 'CustomResource deletion is in progress' : 'removed all instances',
    });
    return next;
  }

  /** Deletes the objects of a definition; whether any is left. */
  async #deleteObjects(name: string): Promise<boolean> {
    const [served] = this.#options.resources.resourcesOf(name);
    if (!served) return false;
    await served.ready?.();
    const { group, version, resource } = served.stored;
    const entries = [...served.cache.current().range(served.cache.prefix)];
    const waiting = entries.filter((entry) => !served.cache.object(entry).metadata.deletionTimestamp);
    for (const entry of waiting) {
      const { namespace } = entry;
      await this.#options
        .server()
        .request({
          verb: 'delete',
          group,
          version,
          resource,
          name: entry.name,
          ...(namespace === '' ? {} : { namespace }),
        })
        .catch((error: unknown) => {
          if (!(error instanceof StatusError) || error.status.code !== 404) throw error;
        });
    }
    await served.ready?.();
    return entries.some(({ namespace, name: entry }) =>
      served.cache.get(storageKey(served, namespace === '' ? undefined : namespace, entry)),
    );
  }
}
