import type { KubernetesObject } from '@kubernetes/client-node';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { loadJavaScriptClient } from './support/javascript-client.ts';
import { startKanoe, type Workplace } from './support/kanoe.ts';
import { describeWith } from './support/needs.ts';

type Library = Awaited<ReturnType<typeof loadJavaScriptClient>>;

const namespace = 'default';

describeWith({}, "JavaScript's client", () => {
  let place: Workplace;
  let library: Library;
  let config: InstanceType<Library['KubeConfig']>;
  beforeAll(async () => {
    place = await startKanoe(['--nodes', '0']);
    library = await loadJavaScriptClient();
    config = new library.KubeConfig();
    config.loadFromFile(place.kubeconfig);
  });
  afterAll(() => place.stop());

  function configMap(name: string, data: Record<string, string>): object {
    return { metadata: { name }, data };
  }

  it('keeps an informer in step', async () => {
    const core = config.makeApiClient(library.CoreV1Api);
    await core.createNamespacedConfigMap({ namespace, body: configMap('first', { n: '1' }) });
    const informer = library.makeInformer(config, `/api/v1/namespaces/${namespace}/configmaps`, () =>
      core.listNamespacedConfigMap({ namespace }),
    );
    const heard: string[] = [];
    for (const verb of ['add', 'update', 'delete'] as const)
      informer.on(verb, ({ metadata }: KubernetesObject) => {
        if (metadata?.name !== 'kube-root-ca.crt') heard.push(`${verb} ${metadata?.name}`);
      });
    await informer.start();
    try {
      await expect.poll(() => heard).toEqual(['add first']);
      await core.createNamespacedConfigMap({ namespace, body: configMap('second', {}) });
      await expect.poll(() => heard).toContain('add second');
      const found = await core.readNamespacedConfigMap({ namespace, name: 'first' });
      await core.replaceNamespacedConfigMap({
        namespace,
        name: 'first',
        body: Object.assign(found, { data: { n: '2' } }),
      });
      await expect.poll(() => heard).toContain('update first');
      await core.deleteNamespacedConfigMap({ namespace, name: 'second' });
      await expect.poll(() => heard).toContain('delete second');
      const kept = informer.list(namespace).map(({ metadata }) => metadata?.name);
      expect(kept.filter((name) => name !== 'kube-root-ca.crt')).toEqual(['first']);
    } finally {
      await informer.stop();
    }
  });

  it('watches from a version on', async () => {
    const core = config.makeApiClient(library.CoreV1Api);
    const { metadata } = await core.createNamespacedConfigMap({ namespace, body: configMap('seen', {}) });
    await core.deleteNamespacedConfigMap({ namespace, name: 'seen' });
    const heard: string[] = [];
    await new Promise<void>((resolve, reject) => {
      const watch = new library.Watch(config).watch(
        `/api/v1/namespaces/${namespace}/configmaps`,
        {
          resourceVersion: metadata?.resourceVersion,
          fieldSelector: 'metadata.name=seen',
          timeoutSeconds: 1,
        },
        (phase: string) => heard.push(phase),
        (error: unknown) => (error ? reject(error) : resolve()),
      );
      watch.catch(reject);
    });
    expect(heard).toEqual(['DELETED']);
  });

  it('lets one of two candidates renew a lease', async () => {
    const leases = config.makeApiClient(library.CoordinationV1Api);
    const name = 'leader';
    const held = (holderIdentity: string): object => ({
      holderIdentity,
      leaseDurationSeconds: 15,
      renewTime: new library.V1MicroTime(),
    });
    const body = { metadata: { name }, spec: held('a') };
    const lease = await leases.createNamespacedLease({ namespace, body });
    const race = await Promise.allSettled(
      ['a', 'b'].map((holder) =>
        leases.replaceNamespacedLease({
          namespace,
          name,
          body: { metadata: lease.metadata ?? {}, spec: held(holder) },
        }),
      ),
    );
    const lost = race.filter(({ status }) => status === 'rejected') as PromiseRejectedResult[];
    expect(lost.map(({ reason }) => (reason as { code: number }).code)).toEqual([409]);
    const won = race.find(({ status }) => status === 'fulfilled') as PromiseFulfilledResult<{
      spec?: { holderIdentity?: string };
    }>;
    const kept = await leases.readNamespacedLease({ namespace, name });
    expect(kept.spec?.holderIdentity).toBe(won.value.spec?.holderIdentity);
  });
});
