import type { ResourceList } from '../../api/core/pod-spec/quantities.ts';
import { evaluatorOf } from '../../api/core/quota/evaluator-of.ts';
import type { QuotaEvaluator } from '../../api/core/quota/quota-evaluator.ts';
import { inScopes } from '../../api/core/quota/quota-match.ts';
import {
  difference,
  exceeding,
  masked,
  printed,
  total,
  withoutZeros,
} from '../../api/core/quota/resource-lists.ts';
import { resourcequotas, type ResourceQuota } from '../../api/core/v1.gen.ts';
import type { Clock } from '../../base/clock.ts';
import type { KubeObject, Live } from '../../machinery/object.ts';
import { isStatus } from '../../machinery/status-error.ts';
import type { Transport } from '../../machinery/transport.ts';
import { KeyLock } from '../registry/key-lock.ts';
import type { AdmissionPlugin, AdmissionRequest } from './admission-chain.ts';
import type { Lookup } from './lookup.ts';
import { newRefusal } from './refuse.ts';

/** What the plug-in needs of the server. */
export interface ResourceQuotaParts {
  readonly lookup: Lookup;
  readonly clock: Clock;
  /** The server as itself, to write the status of quotas. */
  server(): Transport;
}

const attempts = 5;

interface Charge {
  readonly quota: Live<ResourceQuota>;
  readonly used: ResourceList;
}

/** What the write adds to what its namespace uses. */
function addition(request: AdmissionRequest, evaluator: QuotaEvaluator, now: number): ResourceList {
  const usage = evaluator.usage(request.object as KubeObject, now);
  const { oldObject } = request;
  if (request.operation !== 'UPDATE' || !oldObject?.metadata.resourceVersion) return withoutZeros(usage);
  return withoutZeros(difference(usage, evaluator.usage(oldObject, now)));
}

/** The quotas that the write is counted against. Throws Forbidden for one that it does not fit. */
function chargesOf(
  request: AdmissionRequest,
  quotas: readonly Live<ResourceQuota>[],
  evaluator: QuotaEvaluator,
  now: number,
): Charge[] {
  const object = request.object as KubeObject;
  const matching = quotas.flatMap((quota) => {
    const names = Object.keys(quota.status?.hard ?? {}).filter((name) => evaluator.counts(name));
    if (names.length === 0 || !inScopes(quota, evaluator, object)) return [];
    const problem = evaluator.unspecified?.(object, names);
    if (problem !== undefined) throw newRefusal(request, `failed quota: ${quota.metadata.name}: ${problem}`);
    if (names.some((name) => quota.status?.used?.[name] === undefined)) {
      const listed = names.toSorted().join(',');
      throw newRefusal(request, `status unknown for quota: ${quota.metadata.name}, resources: ${listed}`);
    }
    return [{ quota, names }];
  });
  if (matching.length === 0) return [];
  const added = addition(request, evaluator, now);
  return matching.flatMap(({ quota, names }) => {
    const requested = masked(added, names);
    if (Object.keys(requested).length === 0) return [];
    const { hard = {}, used: before = {} } = quota.status ?? {};
    const used = total(before, requested);
    const over = exceeding(masked(used, Object.keys(requested)), hard);
    if (over.length > 0) {
      throw newRefusal(
        request,
        `exceeded quota: ${quota.metadata.name}, requested: ${printed(masked(requested, over))}, used: ${printed(masked(before, over))}, limited: ${printed(masked(hard, over))}`,
      );
    }
    return [{ quota, used }];
  });
}

/**
 * Counts what is created against the quotas of its namespace, one write of a namespace at a time, and refuses what exceeds
 * them (upstream's ResourceQuota). What is counted for a write that fails later is given back by the quota controller.
 */
export function resourceQuota({ lookup, clock, server }: ResourceQuotaParts): AdmissionPlugin {
  const locks = new KeyLock();

  async function write({ quota, used }: Charge): Promise<void> {
    const { namespace = '', name } = quota.metadata;
    const body = { ...quota, status: { ...quota.status, used } };
    const { group, version, resource } = resourcequotas;
    await server().request({
      verb: 'update',
      group,
      version,
      resource,
      subresource: 'status',
      namespace,
      name,
      body,
    });
  }

  async function charge(request: AdmissionRequest, evaluator: QuotaEvaluator): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      const quotas = [...lookup.list<ResourceQuota>(resourcequotas, request.namespace)];
      const charges = chargesOf(request, quotas, evaluator, clock.now());
      if (request.dryRun) return;
      try {
        for (const one of charges) await write(one);
        return;
      } catch (error) {
        if (!isStatus(error, 'Conflict') || attempt === attempts) throw error;
      }
    }
  }

  return {
    name: 'ResourceQuota',
    async validate(request) {
      const { group, resource, subresource, namespace, operation } = request;
      if (namespace === '' || !request.object) return;
      if (group === '' && resource === 'namespaces') return;
      if (operation !== 'CREATE' && operation !== 'UPDATE') return;
      const [first] = lookup.list<ResourceQuota>(resourcequotas, namespace);
      if (!first) return;
      const evaluator = evaluatorOf(group, resource);
      if (!evaluator.charges(operation, subresource)) return;
      await locks.run(namespace, () => charge(request, evaluator));
    },
  };
}
