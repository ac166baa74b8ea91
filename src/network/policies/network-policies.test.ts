import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../base/clock.ts';
import { namespaces, pods, serviceaccounts, type Pod } from '../../api/core/v1.gen.ts';
import { networkpolicies, type NetworkPolicy } from '../../api/networking/v1.gen.ts';
import type { Client } from '../../client/client.ts';
import type { Controller } from '../../reconcile/controller.ts';
import { startTestServer, type TestServer } from '../../reconcile/test-server.ts';
import { ownPlace } from '../network-place.ts';
import { runTool } from '../run-tool.ts';
import { createPodLab, labHindrance, type PodLab, type TestPod } from '../testing/pod-lab.ts';
import { enforcePolicies } from './enforce-policies.ts';
import { policyTable } from './policy-table.ts';
import type { PolicyTracker } from './policy-tracker.ts';

type Spec = NonNullable<NetworkPolicy['spec']>;

const hindrance = labHindrance();
const names = ['x/a', 'x/b', 'y/a', 'y/b', 'z/a'];
const only = (pod: string) => ({ podSelector: { matchLabels: { pod } } });
const from = (namespace: string) => ({ namespaceSelector: { matchLabels: { ns: namespace } } });

describe.skipIf(hindrance !== undefined)('network policies', () => {
  let lab: PodLab;
  let server: TestServer;
  let client: Client;
  let tracker: PolicyTracker;
  const members = new Map<string, TestPod>();
  const errors: unknown[] = [];
  const made: { readonly namespace: string; readonly name: string }[] = [];

  beforeAll(async () => {
    lab = await createPodLab('routed');
    const capture: Controller = {
      name: 'policies',
      aliases: [],
      start({ informers }) {
        tracker = enforcePolicies({
          clusterId: lab.clusterId,
          informers,
          clock: systemClock,
          podRange: lab.podRange,
          listeners: [],
          residents: [],
          place: ownPlace(),
          onError: (error) => errors.push(error),
        });
        return { stop: () => tracker.stop() };
      },
    };
    server = await startTestServer([capture]);
    client = server.client;
    for (const name of ['x', 'y', 'z']) {
      const metadata = { name, labels: { ns: name } };
      await client.for(namespaces).create({ apiVersion: 'v1', kind: 'Namespace', metadata, spec: {} });
      await client.for(serviceaccounts).create({
        apiVersion: 'v1',
        kind: 'ServiceAccount',
        metadata: { namespace: name, name: 'default' },
      });
    }
    await Promise.all(
      names.map(async (key) => {
        const [namespace = '', name = ''] = key.split('/');
        const pod = await lab.addPod(`${namespace}-${name}`, 0);
        await Promise.all([pod.listen('tcp', 80), pod.listen('tcp', 81), pod.listen('udp', 80)]);
        members.set(key, pod);
        await declare(namespace, name, pod.ip);
      }),
    );
  });

  afterAll(async () => {
    await server.stop();
    await lab.remove();
  });

  afterEach(async () => {
    for (const key of made.splice(0)) await client.for(networkpolicies).delete(key);
  });

  async function declare(namespace: string, name: string, podIP: string): Promise<Pod> {
    const created = await client.for(pods).create({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { namespace, name, labels: { pod: name } },
      spec: {
        containers: [
          { name: 'c', image: 'i', ports: [{ name: name === 'a' ? 'web' : 'other', containerPort: 80 }] },
        ],
      },
    });
    return await client.for(pods).updateStatus({
      ...created,
      status: { phase: 'Running', podIP, podIPs: [{ ip: podIP }] },
    });
  }

  async function make(namespace: string, name: string, spec: Spec): Promise<void> {
    made.push({ namespace, name });
    await client.for(networkpolicies).create({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { namespace, name },
      spec,
    });
    await inForce();
  }

  /** Whatever was made before is in force. */
  async function inForce(): Promise<void> {
    const pod = await client.for(pods).get({ namespace: 'z', name: 'a' });
    const { uid, namespace = '', name } = pod.metadata;
    await tracker.admit({ namespace, name, uid }, [members.get('z/a')?.ip ?? '']);
  }

  const reach = async (source: string, target: string, port: number, protocol: 'tcp' | 'udp' = 'tcp') => {
    const answer = await members.get(source)?.[protocol](members.get(target)?.ip ?? '', port);
    return answer?.endsWith('hello') ?? false;
  };

  /** Who reaches a target: each pod and the host, in the order of `names`. */
  async function callers(
    target: string,
    port: number = 80,
    protocol: 'tcp' | 'udp' = 'tcp',
  ): Promise<string> {
    const found = await Promise.all(
      names.map(async (source) => ((await reach(source, target, port, protocol)) ? source : '')),
    );
    const host = await lab.host[protocol](members.get(target)?.ip ?? '', port);
    return [...found, host.endsWith('hello') ? 'host' : ''].filter((name) => name !== '').join(' ');
  }

  async function targets(source: string, port: number = 80): Promise<string> {
    const found = await Promise.all(
      names.map(async (target) => ((await reach(source, target, port)) ? target : '')),
    );
    return found.filter((name) => name !== '').join(' ');
  }

  const everybody = 'x/a x/b y/a y/b z/a host';

  it('are not there: everybody reaches everybody', async () => {
    expect(await callers('x/a')).toBe(everybody);
    expect(await runTool('nft', ['list', 'tables'])).not.toContain(policyTable(lab.clusterId).slice(5));
  });

  it('deny all that comes in, but from the pod itself and its node', async () => {
    await make('x', 'deny', { podSelector: {} });
    expect(await callers('x/a')).toBe('x/a host');
    expect(await callers('x/a', 80, 'udp')).toBe('x/a host');
    expect(await callers('y/a')).toBe(everybody);
    expect(await targets('x/a')).toBe('x/a y/a y/b z/a');
  });

  it('deny all that goes out, but to the pod itself', async () => {
    await make('x', 'deny', { podSelector: {}, policyTypes: ['Egress'] });
    expect(await targets('x/a')).toBe('x/a');
    expect(await callers('x/a')).toBe('x/a y/a y/b z/a host');
  });

  it.each([
    { title: 'pods of the namespace', peers: [only('b')], expected: 'x/a x/b host' },
    { title: 'whole namespaces', peers: [from('y')], expected: 'x/a y/a y/b host' },
    {
      title: 'pods of namespaces',
      peers: [{ ...from('y'), ...only('b') }],
      expected: 'x/a y/b host',
    },
    { title: 'either', peers: [from('z'), only('b')], expected: 'x/a x/b z/a host' },
    {
      title: 'namespaces by expression',
      peers: [{ namespaceSelector: { matchExpressions: [{ key: 'ns', operator: 'NotIn', values: ['y'] }] } }],
      expected: 'x/a x/b z/a host',
    },
  ])('let in $title', async ({ peers, expected }) => {
    await make('x', 'allow', { ...only('a'), ingress: [{ from: peers }] });
    expect(await callers('x/a')).toBe(expected);
    expect(await callers('x/b')).toBe(everybody);
  });

  it.each(['10.0.0.0/8', '0.0.0.0/0'])('let in blocks of addresses but for exceptions: %s', async (cidr) => {
    const except = [`${members.get('y/a')?.ip}/32`, '10.0.0.0/24'];
    await make('x', 'allow', {
      ...only('a'),
      ingress: [
        {
          from: [
            { ipBlock: { cidr, except } },
            { ipBlock: { cidr: 'fd00::/8', except: ['fd00:1::/32'] } },
            { ipBlock: { cidr: '::/0' } },
          ],
          ports: [{ port: 80 }],
        },
      ],
    });
    expect(await callers('x/a')).toBe('x/a x/b y/b z/a host');
  });

  it.each([
    { title: 'a number', ports: [{ port: 81 }], tcp80: 'x/a host', tcp81: everybody, udp80: 'x/a host' },
    {
      title: 'a range',
      ports: [{ port: 79, endPort: 80 }],
      tcp80: everybody,
      tcp81: 'x/a host',
      udp80: 'x/a host',
    },
    { title: 'a name', ports: [{ port: 'web' }], tcp80: everybody, tcp81: 'x/a host', udp80: 'x/a host' },
    {
      title: 'a protocol',
      ports: [{ protocol: 'UDP' }],
      tcp80: 'x/a host',
      tcp81: 'x/a host',
      udp80: everybody,
    },
    {
      title: 'several',
      ports: [{ port: 80, protocol: 'UDP' }, { port: 81 }, { port: 80, protocol: 'SCTP' }],
      tcp80: 'x/a host',
      tcp81: everybody,
      udp80: everybody,
    },
  ])('open ports by $title', async ({ ports, tcp80, tcp81, udp80 }) => {
    await make('x', 'allow', { ...only('a'), ingress: [{ ports }] });
    expect(await callers('x/a', 80)).toBe(tcp80);
    expect(await callers('x/a', 81)).toBe(tcp81);
    expect(await callers('x/a', 80, 'udp')).toBe(udp80);
  });

  it('let out to the ports that others call so', async () => {
    await make('x', 'out', { ...only('b'), policyTypes: ['Egress'], egress: [{ ports: [{ port: 'web' }] }] });
    expect(await targets('x/b')).toBe('x/a x/b y/a z/a');
    expect(await targets('x/b', 81)).toBe('x/b');
  });

  it('let out to peers', async () => {
    await make('x', 'out', {
      ...only('a'),
      policyTypes: ['Egress'],
      egress: [{ to: [from('y')] }, { to: [only('b')], ports: [{ port: 81 }] }],
    });
    expect(await targets('x/a')).toBe('x/a y/a y/b');
    expect(await targets('x/a', 81)).toBe('x/a x/b y/a y/b');
  });

  it('need both sides to agree', async () => {
    await make('x', 'out', { ...only('a'), policyTypes: ['Egress'], egress: [{ to: [from('y')] }] });
    await make('y', 'in', { ...only('a'), ingress: [{ from: [from('z')] }] });
    expect(await targets('x/a')).toBe('x/a y/b');
    expect(await callers('y/a')).toBe('y/a z/a host');
  });

  it('add up', async () => {
    await make('x', 'deny', { podSelector: {} });
    await make('x', 'y', { podSelector: {}, ingress: [{ from: [from('y')] }] });
    await make('x', 'b', { ...only('a'), ingress: [{ from: [only('b')], ports: [{ port: 81 }] }] });
    expect(await callers('x/a', 80)).toBe('x/a y/a y/b host');
    expect(await callers('x/a', 81)).toBe('x/a x/b y/a y/b host');
    expect(await callers('x/b', 81)).toBe('x/b y/a y/b host');
  });

  it('follow labels of pods and of namespaces', async () => {
    await make('x', 'allow', {
      ...only('a'),
      ingress: [{ from: [{ namespaceSelector: { matchLabels: { team: 'red' } } }, only('c')] }],
    });
    expect(await callers('x/a')).toBe('x/a host');
    await client
      .for(namespaces)
      .patch(
        { name: 'z' },
        { metadata: { labels: { team: 'red' } } },
        { type: 'application/merge-patch+json' },
      );
    await client
      .for(pods)
      .patch(
        { namespace: 'x', name: 'b' },
        { metadata: { labels: { pod: 'c' } } },
        { type: 'application/merge-patch+json' },
      );
    await inForce();
    expect(await callers('x/a')).toBe('x/a x/b z/a host');
    await client
      .for(namespaces)
      .patch(
        { name: 'z' },
        { metadata: { labels: { team: null } } },
        { type: 'application/merge-patch+json' },
      );
    await client
      .for(pods)
      .patch(
        { namespace: 'x', name: 'b' },
        { metadata: { labels: { pod: 'b' } } },
        { type: 'application/merge-patch+json' },
      );
    await inForce();
    expect(await callers('x/a')).toBe('x/a host');
  });

  it('do not speak of pods that have ended', async () => {
    await make('x', 'allow', { ...only('a'), ingress: [{ from: [from('z')] }] });
    const ended = await client.for(pods).get({ namespace: 'z', name: 'a' });
    await client.for(pods).updateStatus({ ...ended, status: { ...ended.status, phase: 'Succeeded' } });
    await tracker.admit(
      {
        namespace: 'x',
        name: 'a',
        uid: (await client.for(pods).get({ namespace: 'x', name: 'a' })).metadata.uid,
      },
      [members.get('x/a')?.ip ?? ''],
    );
    expect(await callers('x/a')).toBe('x/a host');
    const now = await client.for(pods).get({ namespace: 'z', name: 'a' });
    await client.for(pods).updateStatus({ ...now, status: { ...now.status, phase: 'Running' } });
    await inForce();
    expect(await callers('x/a')).toBe('x/a z/a host');
  });

  it('keep connections that stay allowed and cut those that are no longer', async () => {
    const open = async (source: string) => await members.get(source)?.open(members.get('x/a')?.ip ?? '', 80);
    await open('y/a');
    await open('z/a');
    await make('x', 'allow', { ...only('a'), ingress: [{ from: [from('y')] }] });
    expect(await members.get('y/a')?.talk('still')).toBe('still');
    expect(await members.get('z/a')?.talk('gone')).toBe('ECONNRESET');
  });

  it('are in force before a pod that they select has its address', async () => {
    await make('z', 'deny', { podSelector: {} });
    const late = await lab.addPod('late', 0);
    await late.listen('tcp', 80);
    const created = await client.for(pods).create({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { namespace: 'z', name: 'late', labels: {} },
      spec: { containers: [{ name: 'c', image: 'i' }] },
    });
    await tracker.admit({ namespace: 'z', name: 'late', uid: created.metadata.uid }, [late.ip]);
    expect(await members.get('x/a')?.tcp(late.ip, 80)).toBe('timeout');
    await client.for(pods).delete({ namespace: 'z', name: 'late' }, { gracePeriodSeconds: 0 });
  });

  it('are back after somebody flushed all rules', async () => {
    await make('x', 'deny', { podSelector: {} });
    await runTool('nft', ['delete', 'table', ...policyTable(lab.clusterId).split(' ')]);
    await make('y', 'deny', { podSelector: {} });
    expect(await callers('x/a')).toBe('x/a host');
  });

  it('leave nothing behind', async () => {
    await inForce();
    await expect
      .poll(() => runTool('nft', ['list', 'tables']))
      .not.toContain(policyTable(lab.clusterId).slice(5));
    expect(errors).toEqual([]);
  });
});
