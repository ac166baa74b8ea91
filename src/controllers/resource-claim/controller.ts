import { pods, type Pod } from '../../api/core/v1.gen.ts';
import { resourceclaims, resourceclaimtemplates, type ResourceClaim } from '../../api/resource/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import { isStatus } from '../../machinery/status-error.ts';
import { unlessGone } from '../../machinery/unless-gone.ts';
import {
  settled,
  type Controller,
  type ControllerContext,
  type Outcome,
  type RunningController,
} from '../../reconcile/controller.ts';
import { controllerOf, dependentsOf, indexByController } from '../../reconcile/owner.ts';
import { OwnWrites } from '../../reconcile/own-writes.ts';
import { byKey, objectKey, parseKey, startReconciler } from '../../reconcile/reconciler.ts';
import { planClaim, reserveFor } from './plan-claim.ts';
import { needsClaims, planPodClaim } from './plan-pod.ts';

/** Makes the claims that pods want from templates, and takes reservations and devices back from pods that are done. */
export const resourceClaimController: Controller = {
  name: 'resourceclaim-controller',
  aliases: ['resource-claim-controller'],
  start,
};

const podPrefix = 'pod:';
const claimPrefix = 'claim:';

function start(context: ControllerContext): RunningController {
  const { client, informers } = context;
  const events = context.events.as('resource_claim');
  const podCache = informers.for(pods);
  const claimCache = informers.for(resourceclaims);
  const templateCache = informers.for(resourceclaimtemplates);
  const claimClient = client.for(resourceclaims);
  const podClient = client.for(pods);
  const ownWrites = new OwnWrites(claimCache);
  indexByController(claimCache);
  claimCache.addIndex('reserved', ({ metadata, status }) =>
    (status?.reservedFor ?? []).map(({ name }) => `${metadata.namespace}/${name}`),
  );
  podCache.addIndex('resource claim', claimNames);
  podCache.addIndex('claim template', templateNames);
  const reconciler = startReconciler(context, {
    name: resourceClaimController.name,
    caches: [podCache, claimCache, templateCache],
    reconcile: (key) =>
      key.startsWith(podPrefix)
        ? reconcilePod(key.slice(podPrefix.length))
        : reconcileClaim(key.slice(claimPrefix.length)),
  });
  const wakePod = (pod: Live<Pod>): void => {
    if (!pod.spec.resourceClaims?.length) return;
    const key = objectKey(pod);
    reconciler.add(`${podPrefix}${key}`);
    for (const claim of claimCache.byIndex('reserved', key)) wakeClaim(claim);
    for (const claim of dependentsOf(claimCache, pod.metadata.uid)) wakeClaim(claim);
  };
  const wakeClaim = (claim: Live<ResourceClaim>): void => {
    const key = objectKey(claim);
    reconciler.add(`${claimPrefix}${key}`);
    for (const pod of podCache.byIndex('resource claim', key))
      reconciler.add(`${podPrefix}${objectKey(pod)}`);
  };
  podCache.addHandler({ onAdd: wakePod, onUpdate: wakePod, onDelete: wakePod });
  const wakeOwner = (claim: Live<ResourceClaim>): void => {
    const owner = controllerOf(claim);
    if (owner?.kind === 'Pod') reconciler.add(`${podPrefix}${claim.metadata.namespace}/${owner.name}`);
  };
  claimCache.addHandler({
    onAdd(claim) {
      wakeClaim(claim);
      wakeOwner(claim);
    },
    onUpdate: wakeClaim,
    onDelete: wakeOwner,
  });
  templateCache.addHandler({
    onAdd(template) {
      for (const pod of podCache.byIndex('claim template', objectKey(template))) wakePod(pod);
    },
  });
  return reconciler;

  async function reconcilePod(key: string): Promise<Outcome> {
    const pod = byKey(podCache, key);
    if (!pod || !needsClaims(pod) || !ownWrites.observed(key)) {
      if (!pod) ownWrites.forget(key);
      return settled;
    }
    for (const entry of pod.spec.resourceClaims ?? []) {
      const plan = planPodClaim({
        pod,
        entry,
        owned: dependentsOf(claimCache, pod.metadata.uid),
        template: (name) => templateCache.get(pod.metadata.namespace, name),
      });
      if (plan.do === 'tell') await tell(pod, entry.name, plan.claimName);
      else if (plan.do === 'fail') fail(pod, entry.name, plan.why);
      else if (plan.do === 'create') {
        const made = await create(pod, entry.name, plan.claim);
        ownWrites.wrote(key, made);
        await tell(pod, entry.name, made.metadata.name);
      }
    }
    if (pod.spec.nodeName) await reserve(pod);
    return settled;
  }

  async function create(pod: Live<Pod>, entry: string, claim: ResourceClaim): Promise<Live<ResourceClaim>> {
    try {
      return await claimClient.create(claim);
    } catch (error) {
      fail(pod, entry, error instanceof Error ? error.message : String(error));
      throw error;
    }
  }

  function fail(pod: Live<Pod>, entry: string, why: string): void {
    events.record(pod, 'Warning', 'FailedResourceClaimCreation', `PodResourceClaim ${entry}: ${why}`);
  }

  async function tell({ metadata }: Live<Pod>, name: string, resourceClaimName: string): Promise<void> {
    const { namespace = '', uid } = metadata;
    try {
      await podClient.patch(
        { namespace, name: metadata.name },
        { metadata: { uid }, status: { resourceClaimStatuses: [{ name, resourceClaimName }] } },
        { type: 'application/strategic-merge-patch+json', subresource: 'status' },
      );
    } catch (error) {
      if (!isStatus(error, 'NotFound')) throw error;
    }
  }

  /** A pod that was given its node by somebody else than the scheduler has nothing reserved yet. */
  async function reserve(pod: Live<Pod>): Promise<void> {
    for (const key of claimNames(pod)) {
      const claim = byKey(claimCache, key);
      const status = claim && reserveFor(claim, pod);
      if (claim && status) await claimClient.updateStatus({ ...claim, status });
    }
  }

  async function reconcileClaim(key: string): Promise<Outcome> {
    const claim = byKey(claimCache, key);
    if (!claim) return settled;
    const { uid } = claim.metadata;
    const plan = planClaim(claim, await podsOf(claim));
    if (plan.do === 'status') {
      const written = await claimClient.updateStatus({ ...claim, status: plan.status });
      if (plan.finalizers) await writeFinalizers(written, plan.finalizers);
    } else if (plan.do === 'finalizers') await writeFinalizers(claim, plan.finalizers);
    else if (plan.do === 'delete') {
      try {
        await claimClient.delete(parseKey(key), { preconditions: { uid } });
      } catch (error) {
        if (!isStatus(error, 'NotFound')) throw error;
      }
    }
    return settled;
  }

  async function writeFinalizers(
    { metadata: { namespace = '', name, resourceVersion } }: Live<ResourceClaim>,
    finalizers: readonly string[],
  ): Promise<void> {
    await claimClient.patch(
      { namespace, name },
      { metadata: { resourceVersion, finalizers } },
      { type: 'application/merge-patch+json' },
    );
  }

  /** Looks up the pods that a claim names; those missing in the cache are asked of the server before they count as gone. */
  async function podsOf({
    metadata,
    status,
  }: Live<ResourceClaim>): Promise<(name: string) => Live<Pod> | undefined> {
    const { namespace = '' } = metadata;
    const names = [
      ...(status?.reservedFor ?? []).flatMap(({ resource, name }) => (resource === 'pods' ? [name] : [])),
      ...(metadata.ownerReferences ?? []).flatMap(({ kind, name }) => (kind === 'Pod' ? [name] : [])),
    ];
    const found = new Map<string, Live<Pod> | undefined>();
    for (const name of new Set(names))
      found.set(name, podCache.get(namespace, name) ?? (await ask(namespace, name)));
    return (name) => found.get(name);
  }

  async function ask(namespace: string, name: string): Promise<Live<Pod> | undefined> {
    return await unlessGone(podClient.get({ namespace, name }));
  }
}

/** The claims of a pod that are known by name, with namespace. */
function claimNames({ metadata, spec, status }: Live<Pod>): string[] {
  return (spec.resourceClaims ?? []).flatMap(({ name, resourceClaimName }) => {
    const claim =
      resourceClaimName ??
      status?.resourceClaimStatuses?.find((candidate) => candidate.name === name)?.resourceClaimName;
    return claim === undefined ? [] : [`${metadata.namespace}/${claim}`];
  });
}

function templateNames({ metadata, spec }: Live<Pod>): string[] {
  return (spec.resourceClaims ?? []).flatMap(({ resourceClaimTemplateName }) =>
    resourceClaimTemplateName === undefined ? [] : [`${metadata.namespace}/${resourceClaimTemplateName}`],
  );
}
