import { Resolver } from 'node:dns/promises';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { events, namespaces, services, type Service } from '../api/core/v1.gen.ts';
import { endpointslices } from '../api/discovery/v1.gen.ts';
import type { Client } from '../client/client.ts';
import type { Controller } from '../reconcile/controller.ts';
import { eventually } from '../reconcile/eventually.ts';
import { startTestServer, type TestServer } from '../reconcile/test-server.ts';
import { ensureKubernetesService } from './ensure-kubernetes-service.ts';
import { removeNetwork } from './remove-network.ts';
import { runTool } from './run-tool.ts';
import { startNetwork, type Network, type NetworkOptions } from './start-network.ts';
import { labHindrance, randomIdentity, randomNodePort, startAgent, type TestPod } from './testing/pod-lab.ts';

const hindrance = labHindrance();

const cases = [{ proxy: 'nftables' }, { proxy: 'userspace' }] as const;

describe.skipIf(hindrance !== undefined).each(cases)(
  `a cluster's network with $proxy${hindrance === undefined ? '' : ` (skipped: ${hindrance})`}`,
  ({ proxy }) => {
    const { clusterId, podCidr, serviceCidr } = randomIdentity();
    const [nodePort, blockedPort, hostPort, apiPort] = Array.from({ length: 4 }, randomNodePort) as [
      number,
      number,
      number,
      number,
    ];
    const nodeCidr = podCidr.replace('/16', '/24');
    const errors: unknown[] = [];
    let folder: string;
    let server: TestServer;
    let client: Client;
    let network: Network;
    let begin: (overrides?: Partial<NetworkOptions>) => Promise<Network>;
    let pod: TestPod;
    let host: TestPod;
    const agents: { kill(): void }[] = [];

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'network-'));
      await writeFile(join(folder, 'resolv.conf'), 'nameserver 127.0.0.1\n');
      const capture: Controller = {
        name: 'network',
        aliases: [],
        start(context) {
          begin = (overrides) =>
            startNetwork({
              ...context,
              clusterId,
              podCidr,
              serviceCidr,
              proxy,
              directory: folder,
              resolvConf: join(folder, 'resolv.conf'),
              onError: (error) => errors.push(error),
              ...overrides,
            });
          return { stop: () => Promise.resolve() };
        },
      };
      server = await startTestServer([capture], { serviceCidr });
      client = server.client;
      network = await begin();
      await eventually(client, namespaces, (list) =>
        list.some(({ metadata }) => metadata.name === 'kube-system'),
      );
      await network.ready;
      const node = await network.podNetworkFor('node', nodeCidr);
      await writeFile(join(folder, 'netns'), '');
      await runTool('unshare', [`--net=${join(folder, 'netns')}`, 'true']);
      const hostPorts = [{ protocol: 'TCP', containerPort: 8080, hostPort }] as const;
      const { ip } = await node.attach('sandbox', join(folder, 'netns'), hostPorts);
      pod = startAgent({ name: 'pod', ip, prefix: ['nsenter', `--net=${join(folder, 'netns')}`], agents });
      host = startAgent({ name: 'host', ip: '127.0.0.1', prefix: [], agents });
      await pod.listen('tcp', 8080);
    });

    afterAll(async () => {
      for (const agent of agents) agent.kill();
      await network.stop();
      await server.stop();
      await runTool('umount', [join(folder, 'netns')]);
      await removeNetwork({ clusterId });
      await rm(folder, { recursive: true });
    });

    function web(name: string, spec: Service['spec'] = {}): Service {
      return {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { namespace: 'default', name },
        spec: { ports: [{ name: 'http', port: 80, targetPort: 8080 }], ...spec },
      };
    }

    async function createWeb(name: string, spec?: Service['spec']): Promise<Service> {
      const service = await client.for(services).create(web(name, spec));
      await client.for(endpointslices).create({
        apiVersion: 'discovery.k8s.io/v1',
        kind: 'EndpointSlice',
        metadata: { namespace: 'default', name, labels: { 'kubernetes.io/service-name': name } },
        addressType: 'IPv4',
        endpoints: [{ addresses: [pod.ip], conditions: { ready: true }, hostname: 'one' }],
        ports: [{ name: 'http', protocol: 'TCP', port: 8080 }],
      });
      return service;
    }

    /** Tries until the other side answers; a change takes effect some milliseconds after it was made. */
    async function answerOf(from: TestPod, address: string, port: number): Promise<string> {
      for (let attempt = 0; ; attempt++) {
        const answer = await from.tcp(address, port);
        if (answer.includes('hello') || attempt === 50) return answer;
      }
    }

    it('has DNS at the tenth service address, for pods and the host', async () => {
      expect(network.dnsAddress).toBe(serviceCidr.replace('.0.0/16', '.0.10'));
      await createWeb('named', { clusterIP: 'None' });
      const resolver = new Resolver({ timeout: 500, tries: 2 });
      resolver.setServers([network.dnsAddress]);
      const answers = await Promise.all([
        resolver.resolve4('kube-dns.kube-system.svc.cluster.local'),
        resolver.resolvePtr(`10.0.${serviceCidr.split('.').slice(0, 2).reverse().join('.')}.in-addr.arpa`),
        resolver.resolveSrv('_dns-tcp._tcp.kube-dns.kube-system.svc.cluster.local'),
        resolver.resolve4('one.named.default.svc.cluster.local'),
      ]);
      expect(answers).toEqual([
        [network.dnsAddress],
        ['kube-dns.kube-system.svc.cluster.local'],
        [expect.objectContaining({ port: 53, name: 'kube-dns.kube-system.svc.cluster.local' })],
        [pod.ip],
      ]);
      const query = Buffer.concat([
        Buffer.from('000101000001000000000000', 'hex'),
        ...['kube-dns', 'kube-system', 'svc', 'cluster', 'local'].flatMap((label) => [
          Buffer.from([label.length]),
          Buffer.from(label),
        ]),
        Buffer.from('0000010001', 'hex'),
      ]);
      expect(await pod.udp(network.dnsAddress, 53, { text: query.toString('latin1') })).toContain('kube-dns');
    });

    it('leads pods from the kubernetes service to the API', async () => {
      const api = await listenAs(host, apiPort);
      await ensureKubernetesService(client, {
        clusterIP: serviceCidr.replace('.0.0/16', '.0.1'),
        address: network.address,
        port: api,
      });
      expect(await answerOf(pod, serviceCidr.replace('.0.0/16', '.0.1'), 443)).toMatch(/^host .* hello$/);
    });

    it('serves what is created, and says no when it is deleted', async () => {
      const service = await createWeb('web', {
        type: 'NodePort',
        ports: [{ name: 'http', port: 80, targetPort: 8080, nodePort }],
      });
      const clusterIP = service.spec?.clusterIP ?? '';
      expect(await answerOf(host, clusterIP, 80)).toMatch(/^pod .* hello$/);
      expect(await answerOf(pod, clusterIP, 80)).toMatch(/^pod .* hello$/);
      expect(await answerOf(host, '127.0.0.1', nodePort)).toMatch(/^pod .* hello$/);
    });

    it('leads host ports to their pod', async () => {
      expect(await answerOf(host, '127.0.0.1', hostPort)).toMatch(/^pod .* hello$/);
    });

    it('reports a node port that another process has', async () => {
      await host.listen('tcp', blockedPort);
      await createWeb('blocked', {
        type: 'NodePort',
        ports: [{ name: 'http', port: 80, targetPort: 8080, nodePort: blockedPort }],
      });
      const [event] = await eventually(client, events, (list) =>
        list.some(({ reason }) => reason === 'PortInUse'),
      );
      expect(event?.message).toContain(
        `nodePort ${blockedPort}/TCP is in use by another process of this machine`,
      );
    });

    it('takes over the pods of an earlier process', async () => {
      await network.stop();
      network = await begin();
      const node = await network.podNetworkFor('node', nodeCidr);
      expect(await node.attach('sandbox', join(folder, 'netns'), [])).toEqual({ ip: pod.ip });
      await network.ready;
      expect(await host.tcp(pod.ip, 8080)).toMatch(/^pod /);
      expect(await answerOf(host, '127.0.0.1', hostPort)).toMatch(/^pod .* hello$/);
    });

    it('refuses ranges in which the machine has routes already', async () => {
      await expect(begin({ clusterId: 'ffffff' })).rejects.toMatchObject({ code: 'RANGE_IN_USE' });
      expect(await runTool('nft', ['list', 'tables'])).not.toContain('ffffff');
    });

    it('met no error but a missing namespace at the start', () => {
      expect(errors.filter((error) => !String(error).includes('not found'))).toEqual([]);
    });
  },
);

async function listenAs(pod: TestPod, port: number): Promise<number> {
  await pod.listen('tcp', port);
  return port;
}
