import { deployments, type Deployment } from '../src/api/apps/v1.gen.ts';
import { nodes, pods, type Pod } from '../src/api/core/v1.gen.ts';
import type { Client } from '../src/client/client.ts';
import type { Live } from '../src/machinery/object.ts';

const spec = { containers: [{ name: 'main', image: 'anything' }] };

/** Resolves after so many milliseconds. */
export function pause(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}

/** Asks again and again until it holds. Rejects with what was awaited when that takes longer than `limitMs`. */
async function until(what: string, limitMs: number, holds: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + limitMs;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`not within ${limitMs / 1000} s: ${what}`);
    await pause(50);
  }
}

interface DeploymentRef {
  readonly namespace: string;
  readonly name: string;
}

export async function createDeployment(
  client: Client,
  { namespace, name, replicas }: DeploymentRef & { readonly replicas: number },
): Promise<void> {
  const labels = { app: name };
  await client.for(deployments).create({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace },
    spec: { replicas, selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
  });
}

/** Resolves when the deployment as it is now has all of its pods, ready, and no others. */
export function rolledOut(
  client: Client,
  { namespace, name, limitMs }: DeploymentRef & { readonly limitMs: number },
): Promise<void> {
  const done = ({ metadata, spec: { replicas }, status }: Live<Deployment>): boolean =>
    status?.observedGeneration === metadata.generation &&
    [status?.replicas, status?.updatedReplicas, status?.readyReplicas, status?.availableReplicas].every(
      (count) => (count ?? 0) === replicas,
    );
  return until(`deployment ${name} rolled out`, limitMs, async () =>
    done(await client.for(deployments).get({ namespace, name })),
  );
}

/** Starts a rollout of a changed template. */
export async function changeTemplate(
  client: Client,
  { namespace, name, version }: DeploymentRef & { readonly version: string },
): Promise<void> {
  await client
    .for(deployments)
    .patch(
      { namespace, name },
      { spec: { template: { metadata: { labels: { version } } } } },
      { type: 'application/merge-patch+json' },
    );
}

export async function scaleDeployment(
  client: Client,
  { namespace, name, replicas }: DeploymentRef & { readonly replicas: number },
): Promise<void> {
  await client
    .for(deployments)
    .patch({ namespace, name }, { spec: { replicas } }, { type: 'application/merge-patch+json' });
}

/** Where {@link fillPods} makes pods. */
export const heldNamespace = 'default';

/** The name of one of the pods that {@link fillPods} made. */
export function heldName(index: number): string {
  return `held-${index}`;
}

function heldPod(at: number, nodeName: string): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: heldName(at), namespace: heldNamespace },
    spec: { ...spec, nodeName },
  };
}

/** Replaces one in a hundred of the pods that {@link fillPods} made, evenly over so many seconds. */
export async function replaceSome(
  client: Client,
  { held, seconds }: { readonly held: number; readonly seconds: number },
): Promise<void> {
  const names = (await client.for(nodes).list({ limit: 100 })).items.map(({ metadata }) => metadata.name);
  const count = Math.floor(held / 100);
  const started = performance.now();
  const replacements: Promise<unknown>[] = [];
  for (let index = 0; index < count; index++) {
    await pause(started + (index * seconds * 1000) / count - performance.now());
    const at = index * 100;
    const ref = { namespace: heldNamespace, name: heldName(at) };
    replacements.push(
      client
        .for(pods)
        .delete(ref, { gracePeriodSeconds: 0 })
        .then(() => client.for(pods).create(heldPod(at, names[index % names.length] ?? ''))),
    );
  }
  await Promise.all(replacements);
}

/** Makes pods with these numbers, bound to the nodes in turn, and resolves when all pods run. */
export async function fillPods(
  client: Client,
  { from, to, limitMs }: { readonly from: number; readonly to: number; readonly limitMs: number },
): Promise<void> {
  const started = performance.now();
  const names = (await client.for(nodes).list()).items.map(({ metadata }) => metadata.name);
  let next = from;
  const work = async (): Promise<void> => {
    while (next < to) {
      const at = next++;
      if (performance.now() - started > limitMs)
        throw new Error(`${at} of ${to} pods after ${limitMs / 1000} s`);
      await client.for(pods).create(heldPod(at, names[at % names.length] ?? ''));
    }
  };
  await Promise.all(Array.from({ length: 64 }, work));
  const left = Math.max(1000, limitMs - (performance.now() - started));
  await until(`${to} pods running`, left, async () => {
    const waiting = await client
      .for(pods)
      .list({ namespace: heldNamespace, fieldSelector: 'status.phase!=Running', limit: 1 });
    return waiting.items.length === 0;
  });
}
