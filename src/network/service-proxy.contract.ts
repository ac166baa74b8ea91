import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ipv6Suffix, type Frontend, type ServicePort } from './service-port.ts';
import type { PortConflict, ServiceProxy } from './service-proxy.ts';
import {
  createPodLab,
  labHindrance,
  type LabAddresses,
  randomNodePort,
  type PodLab,
  type TestPod,
} from './testing/pod-lab.ts';

export interface ServiceProxyCase {
  readonly serviceAddresses: 'routed' | 'local';
  /** Of the services, pods and clients that are tried; default: IPv4. */
  readonly family?: LabAddresses['family'];
  start(lab: PodLab, onConflict: (conflict: PortConflict) => void): Promise<ServiceProxy>;
}

/** What every service proxy has to do, tried with real pods' network namespaces. */
export function describeServiceProxy(name: string, options: ServiceProxyCase): void {
  const hindrance = labHindrance();
  describe.skipIf(hindrance !== undefined)(
    `${name}${hindrance === undefined ? '' : ` (skipped: ${hindrance})`}`,
    () => {
      let lab: PodLab;
      let proxy: ServiceProxy;
      let a: TestPod;
      let b: TestPod;
      let client: TestPod;
      const nodePort = randomNodePort();
      const blockedPort = randomNodePort();
      const balancerPort = randomNodePort();
      const clientPort = 40_001;
      /** Not 80, which somebody else may have on all addresses of the machine: sockets could not have it on one. */
      const servicePort = 8_088;
      const conflicts: PortConflict[] = [];
      const present = new Set<string>();
      let serviceIP: string;
      let balancerIP: string;
      let loopback: string;
      let gateway: string;
      let external: string;
      const suffix = options.family === 'IPv6' ? ipv6Suffix : '';

      beforeAll(async () => {
        lab = await createPodLab(options.serviceAddresses, options.family);
        ({ loopback, gateway, external } = lab.addresses);
        proxy = await options.start(lab, (conflict) => conflicts.push(conflict));
        serviceIP = lab.addresses.service(20);
        balancerIP = lab.addresses.balancer(7);
        a = await lab.addPod('a', 0);
        b = await lab.addPod('b', 1);
        client = await lab.addPod('client', 0);
        await Promise.all([a, b].flatMap((pod) => [pod.listen('tcp', 8080), pod.listen('udp', 5353)]));
      });

      afterAll(async () => {
        await proxy.close();
        await lab.remove();
      });

      afterEach(async () => {
        await proxy.update({ set: [], removed: [...present] });
        present.clear();
        conflicts.length = 0;
      });

      interface Draft {
        readonly key?: string;
        readonly protocol?: 'TCP' | 'UDP';
        readonly pods?: readonly TestPod[];
        readonly frontends?: readonly Frontend[];
      }

      async function serve(
        draft: Draft,
        more: Partial<Pick<ServicePort, 'affinitySeconds' | 'nodeEndpoints' | 'sourceRanges'>> = {},
      ): Promise<void> {
        const protocol = draft.protocol ?? 'TCP';
        const key = `${draft.key ?? 'default/web/tcp/80'}${suffix}`;
        present.add(key);
        await proxy.update({
          set: [
            {
              key,
              protocol,
              ...(options.family === 'IPv6' && { family: options.family }),
              frontends: draft.frontends ?? [{ role: 'clusterIP', address: serviceIP, port: servicePort }],
              endpoints: backends(draft.pods ?? [a, b], protocol),
              ...more,
            },
          ],
          removed: [],
        });
      }

      const backends = (pods: readonly TestPod[], protocol: 'TCP' | 'UDP'): ServicePort['endpoints'] =>
        pods.map((pod) => ({ ip: pod.ip, port: protocol === 'TCP' ? 8080 : 5353 }));

      /** The pods that answer a number of connections, in alphabetical order. */
      async function answering(
        from: TestPod,
        protocol: 'tcp' | 'udp',
        address: { readonly host: string; readonly port: number },
      ): Promise<string> {
        const names = new Set<string>();
        for (let round = 0; round < 6; round++)
          names.add((await from[protocol](address.host, address.port)).split(' ')[0] ?? '');
        return [...names].sort().join(' ');
      }

      it('lets pods of all nodes reach each other and the host', async () => {
        expect(await client.tcp(a.ip, 8080)).toBe(`a ${client.ip} hello`);
        expect(await client.tcp(b.ip, 8080)).toBe(`b ${client.ip} hello`);
        expect(await lab.host.tcp(b.ip, 8080)).toMatch(/^b .* hello$/);
      });

      it.each(['TCP', 'UDP'] as const)(
        'spreads %s from pods and the host over all endpoints',
        async (protocol) => {
          await serve({ protocol });
          const words = protocol === 'TCP' ? 'tcp' : 'udp';
          expect(await answering(client, words, { host: serviceIP, port: servicePort })).toBe('a b');
          expect(await answering(lab.host, words, { host: serviceIP, port: servicePort })).toBe('a b');
        },
      );

      it('lets a pod reach itself through its service', async () => {
        await serve({ pods: [a] });
        expect(await a.tcp(serviceIP, servicePort)).toMatch(/^a .* hello$/);
      });

      it('carries much data and half-closed connections', async () => {
        await serve({});
        expect(await client.tcp(serviceIP, servicePort, { size: 5_000_000 })).toBe('5000000');
      });

      it('serves several ports and protocols of one address', async () => {
        await serve({ pods: [a] });
        await serve({
          key: 'default/dns/udp/80',
          protocol: 'UDP',
          pods: [b],
        });
        expect(await client.tcp(serviceIP, servicePort)).toMatch(/^a /);
        expect(await client.udp(serviceIP, servicePort)).toMatch(/^b /);
      });

      it.each(['TCP', 'UDP'] as const)(
        'serves %s node ports on every address of the machine',
        async (protocol) => {
          await serve({ protocol, frontends: [{ role: 'nodePort', port: nodePort }] });
          const words = protocol === 'TCP' ? 'tcp' : 'udp';
          expect(await answering(lab.host, words, { host: loopback, port: nodePort })).toBe('a b');
          expect(await answering(lab.host, words, { host: gateway, port: nodePort })).toBe('a b');
          expect(await answering(client, words, { host: gateway, port: nodePort })).toBe('a b');
        },
      );

      it('serves load balancers on their address and on the machine', async () => {
        const frontends = [
          { role: 'loadBalancer', address: balancerIP, port: balancerPort },
          { role: 'loadBalancer', port: balancerPort },
        ] as const;
        await serve({ frontends });
        expect(await answering(lab.host, 'tcp', { host: balancerIP, port: balancerPort })).toBe('a b');
        expect(await answering(lab.host, 'tcp', { host: loopback, port: balancerPort })).toBe('a b');
        expect(await answering(client, 'tcp', { host: balancerIP, port: balancerPort })).toBe('a b');
      });

      it('keeps clients out whom the source ranges leave out', async () => {
        const frontends = [{ role: 'loadBalancer', address: balancerIP, port: balancerPort }] as const;
        await serve({ frontends }, { sourceRanges: [`${a.ip}/${options.family === 'IPv6' ? 128 : 32}`] });
        expect(await a.tcp(balancerIP, balancerPort)).toMatch(/^[ab] /);
        expect(await client.tcp(balancerIP, balancerPort)).toMatch(/timeout|ECONNRESET|ECONNREFUSED/);
      });

      it('serves external addresses', async () => {
        await serve({ frontends: [{ role: 'externalIP', address: external, port: servicePort }] });
        expect(await answering(client, 'tcp', { host: external, port: servicePort })).toBe('a b');
        expect(await answering(lab.host, 'tcp', { host: external, port: servicePort })).toBe('a b');
      });

      it('refuses at once when there is no endpoint, and when the service is gone', async () => {
        const frontends = [
          { role: 'clusterIP', address: serviceIP, port: servicePort },
          { role: 'nodePort', port: nodePort },
        ] as const;
        await serve({ pods: [], frontends });
        expect(await client.tcp(serviceIP, servicePort)).toBe('ECONNREFUSED');
        expect(await client.udp(serviceIP, servicePort)).toBe('ECONNREFUSED');
        expect(await lab.host.tcp(serviceIP, servicePort)).toBe('ECONNREFUSED');
        expect(await lab.host.tcp(loopback, nodePort)).toBe('ECONNREFUSED');
        await serve({ frontends });
        expect(await client.tcp(serviceIP, servicePort)).toMatch(/^[ab] /);
        expect(await lab.host.tcp(loopback, nodePort)).toMatch(/^[ab] /);
        await proxy.update({ set: [], removed: [...present] });
        expect(await client.tcp(serviceIP, servicePort)).toBe('ECONNREFUSED');
        expect(await lab.host.tcp(loopback, nodePort)).toBe('ECONNREFUSED');
      });

      it('moves UDP clients that keep their port when their endpoint goes', async () => {
        await serve({ protocol: 'UDP', pods: [a] });
        expect(await client.udp(serviceIP, servicePort, { from: clientPort })).toMatch(/^a /);
        await serve({ protocol: 'UDP', pods: [b] });
        expect(await client.udp(serviceIP, servicePort, { from: clientPort })).toMatch(/^b /);
      });

      it('keeps a client on its endpoint with session affinity', async () => {
        await serve({}, { affinitySeconds: 60 });
        const first = await answering(client, 'tcp', { host: serviceIP, port: servicePort });
        expect(['a', 'b']).toContain(first);
        expect(['a', 'b']).toContain(
          await answering(lab.host, 'tcp', { host: serviceIP, port: servicePort }),
        );
        const other = first === 'a' ? b : a;
        await serve({ pods: [other] }, { affinitySeconds: 60 });
        expect(await answering(client, 'tcp', { host: serviceIP, port: servicePort })).toBe(other.name);
      });

      it('lets a client go once its affinity has timed out', async () => {
        await serve({}, { affinitySeconds: 1 });
        const seen = new Set<string>();
        const call = async (): Promise<string> => {
          seen.add((await client.tcp(serviceIP, servicePort)).split(' ')[0] ?? '');
          return [...seen].sort().join(' ');
        };
        expect(await call()).toBe(await call());
        await expect.poll(call, { interval: 1_300, timeout: 10_000 }).toBe('a b');
      });

      it('leaves connections alone whose endpoint goes, as long as the pod lives', async () => {
        await serve({ pods: [a] });
        expect(await client.open(serviceIP, servicePort)).toBe('open');
        await serve({ pods: [b] });
        expect(await client.tcp(serviceIP, servicePort)).toMatch(/^b /);
        expect(await client.talk('still here')).toBe('still here');
        await proxy.update({ set: [], removed: [...present] });
        expect(await client.talk('and now')).toBe('and now');
      });

      it('serves host ports on all addresses, or on the one that is asked for', async () => {
        await serve({ frontends: [{ role: 'hostPort', port: nodePort }] });
        expect(await lab.host.tcp(loopback, nodePort)).toMatch(/^[ab] /);
        await serve({ frontends: [{ role: 'hostPort', address: gateway, port: nodePort }] });
        expect(await lab.host.tcp(gateway, nodePort)).toMatch(/^[ab] /);
        expect(await lab.host.tcp(loopback, nodePort)).toBe('ECONNREFUSED');
      });

      it('keeps pods to the endpoints of their node when traffic is to stay local', async () => {
        const nodeEndpoints = [
          { range: lab.addresses.node(0), endpoints: [] },
          { range: lab.addresses.node(1), endpoints: backends([b], 'TCP') },
        ];
        await serve({}, { nodeEndpoints });
        expect(await answering(b, 'tcp', { host: serviceIP, port: servicePort })).toBe('b');
        expect(await client.tcp(serviceIP, servicePort)).toMatch(/timeout|ECONNRESET|ECONNREFUSED/);
        expect(await answering(lab.host, 'tcp', { host: serviceIP, port: servicePort })).toBe('a b');
      });

      it('leaves an address to the service that had it first, until that is gone', async () => {
        const frontends = [{ role: 'externalIP', address: external, port: servicePort }] as const;
        await serve({ pods: [a], frontends });
        await serve({ key: 'default/late/tcp/80', pods: [b], frontends });
        expect(await answering(client, 'tcp', { host: external, port: servicePort })).toBe('a');
        await proxy.update({ set: [], removed: [`default/web/tcp/80${suffix}`] });
        expect(await answering(client, 'tcp', { host: external, port: servicePort })).toBe('b');
      });

      it('reports a node port that another process has, and leaves it alone', async () => {
        await lab.host.listen('tcp', blockedPort);
        await serve({ frontends: [{ role: 'nodePort', port: blockedPort }] });
        expect(conflicts).toEqual([
          { key: `default/web/tcp/80${suffix}`, role: 'nodePort', protocol: 'TCP', port: blockedPort },
        ]);
        expect(await lab.host.tcp(loopback, blockedPort)).toBe(`host ${loopback} hello`);
      });
    },
  );
}
