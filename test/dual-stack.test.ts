import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from './support/eventually.ts';
import { startKanoe } from './support/kanoe.ts';
import type { Workplace } from './support/kanoe.ts';
import type { Kubectl } from './support/kubectl.ts';
import { describeWith } from './support/needs.ts';

const switchedOff = '/proc/sys/net/ipv6/conf/all/disable_ipv6';

function hasIpv6(): boolean {
  try {
    return readFileSync(switchedOff, 'utf8').trim() === '0';
  } catch {
    return false;
  }
}

/** Of the whole machine; clusters of other tests do not want it. */
const balancerPort = 8092;

/** Answers HTTP, in both families, with the address it was called from. */
const echo = `
require('node:http').createServer((request, response) => response.setHeader('connection', 'close').end(request.socket.remoteAddress.replace('::ffff:', ''))).listen(8080);
process.on('SIGTERM', () => process.exit());
`;

function pod(name: string, nodeName: string, more: object = {}): object {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, labels: { app: name } },
    spec: {
      nodeName,
      containers: [
        {
          name: 'main',
          image: 'kanoe.local/node',
          command: ['node', '-e', echo],
          ports: [{ name: 'http', containerPort: 8080 }],
          env: [
            { name: 'POD_IPS', valueFrom: { fieldRef: { fieldPath: 'status.podIPs' } } },
            { name: 'HOST_IPS', valueFrom: { fieldRef: { fieldPath: 'status.hostIPs' } } },
          ],
          readinessProbe: { httpGet: { port: 'http' }, periodSeconds: 1 },
        },
      ],
      ...more,
    },
  };
}

function service(name: string, spec: object): object {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name },
    spec: { selector: { app: 'server' }, ports: [{ name: 'http', port: 80, targetPort: 'http' }], ...spec },
  };
}

describe.skipIf(!hasIpv6())('with IPv6', () => {
  describeWith({ root: true, kubectl: true }, 'a cluster of two families', () => {
    let cluster: Workplace;
    let kubectl: Kubectl;

    beforeAll(async () => {
      cluster = await startKanoe(['--dual-stack', '--nodes', '2']);
      kubectl = cluster.kubectl();
      await kubectl.apply([
        pod('server', `${cluster.name}-2`),
        pod('client', cluster.name),
        service('both', { type: 'NodePort', ipFamilyPolicy: 'PreferDualStack' }),
        service('six', { ipFamilies: ['IPv6'] }),
        service('headless', { clusterIP: 'None', ipFamilyPolicy: 'RequireDualStack' }),
        service('balanced', {
          type: 'LoadBalancer',
          ipFamilyPolicy: 'RequireDualStack',
          ports: [{ name: 'http', port: balancerPort, targetPort: 'http' }],
        }),
        service('plain', {}),
      ]);
      await kubectl('wait', '--for=condition=Ready', 'pod', '--all', '--timeout=60s');
    });
    afterAll(() => cluster?.stop());

    const listOf = async (kind: string, name: string, path: string): Promise<readonly string[]> =>
      (await kubectl('get', kind, name, '-o', `jsonpath={${path}}`)).split(' ');
    const podIPs = (name: string): Promise<readonly string[]> => listOf('pod', name, '.status.podIPs[*].ip');
    const clusterIPs = (name: string): Promise<readonly string[]> =>
      listOf('service', name, '.spec.clusterIPs[*]');
    const inClient = async <T>(body: string): Promise<T> => {
      const code = `(async () => { ${body} })().then((value) => process.stdout.write(JSON.stringify(value), () => process.exit()), (error) => { console.error(error); process.exit(1); })`;
      return JSON.parse(await kubectl('exec', 'client', '--', 'node', '-e', code)) as T;
    };
    /** What each address answers the client pod: the pod's own address, or why nothing. */
    const calls = (
      ...targets: readonly (readonly [host: string, port: number])[]
    ): Promise<readonly string[]> =>
      inClient(
        `const one = ([host, port]) => fetch('http://' + (host.includes(':') ? '[' + host + ']' : host) + ':' + port + '/', { signal: AbortSignal.timeout(1500) }).then((answer) => answer.text(), (error) => error.cause?.code ?? error.name);
        return Promise.all(${JSON.stringify(targets)}.map(one));`,
      );

    it('gives nodes and pods addresses of both', async () => {
      const [ipv4, ipv6] = await listOf('node', `${cluster.name}-2`, '.spec.podCIDRs[*]');
      expect([ipv4, ipv6]).toEqual([
        expect.stringMatching(/^10\..*\/24$/),
        expect.stringMatching(/^fd.*\/64$/),
      ]);
      const ips = await podIPs('server');
      expect(ips).toEqual([expect.stringMatching(/^10\./), expect.stringMatching(/^fd/)]);
      const hosts = await listOf('pod', 'server', '.status.hostIPs[*].ip');
      const seen = await kubectl(
        'exec',
        'server',
        '--',
        'node',
        '-p',
        '[process.env.POD_IPS, process.env.HOST_IPS].join(" ")',
      );
      expect(seen.trim()).toBe(`${ips.join()} ${hosts.join()}`);
      expect(hosts).toHaveLength(2);
    });

    it('gives services addresses by their policy', async () => {
      expect(await clusterIPs('plain')).toEqual([expect.stringMatching(/^10\./)]);
      expect(await clusterIPs('six')).toEqual([expect.stringMatching(/^fd/)]);
      expect(await clusterIPs('both')).toEqual([
        expect.stringMatching(/^10\./),
        expect.stringMatching(/^fd/),
      ]);
      const slices = await kubectl(
        'get',
        'endpointslices',
        '-l',
        'kubernetes.io/service-name=both',
        '-o',
        'jsonpath={.items[*].addressType}',
      );
      expect(slices.split(' ').sort()).toEqual(['IPv4', 'IPv6']);
    });

    it('carries calls between nodes, to pods and to every kind of address', async () => {
      const [, client = ''] = await podIPs('client');
      const [, server = ''] = await podIPs('server');
      const [, both = ''] = await clusterIPs('both');
      const [, node = ''] = await listOf('pod', 'server', '.status.hostIPs[*].ip');
      const [nodePort = ''] = await listOf('service', 'both', '.spec.ports[0].nodePort');
      const [, balancer = ''] = await listOf('service', 'balanced', '.status.loadBalancer.ingress[*].ip');
      const targets = [
        [server, 8080],
        [both, 80],
        ['six', 80],
        [node, Number(nodePort)],
        [balancer, balancerPort],
      ] as const;
      expect(await calls(...targets)).toEqual(targets.map(() => client));
      expect(await (await fetch(`http://[${both}]/`)).text()).toMatch(/^fd/);
      expect(await (await fetch(`http://[${balancer}]:${balancerPort}/`)).text()).toMatch(/^fd/);
    });

    it('resolves names to both, and addresses to names', async () => {
      const found = await inClient<Readonly<Record<string, readonly string[]>>>(`
        const dns = require('node:dns/promises'); const name = (service) => service + '.default.svc.cluster.local';
        const both = await dns.resolve6(name('both'));
        return { both: [...await dns.resolve4(name('both')), ...both], headless: await dns.resolve6(name('headless')),
          none: await dns.resolve6(name('plain')).catch((error) => [error.code]), names: await dns.reverse(both[0]) };`);
      const [, server = ''] = await podIPs('server');
      expect(found).toEqual({
        both: await clusterIPs('both'),
        headless: [server],
        none: ['ENODATA'],
        names: ['both.default.svc.cluster.local'],
      });
    });

    it('gives a service its second address when it is asked to, and takes it back', async () => {
      await kubectl('patch', 'service', 'plain', '-p', '{"spec":{"ipFamilyPolicy":"RequireDualStack"}}');
      const [first = '', second = ''] = await clusterIPs('plain');
      await eventually(async () =>
        expect(await calls([second, 80])).toEqual(await podIPs('client').then(([, own]) => [own])),
      );
      await kubectl('patch', 'service', 'plain', '-p', '{"spec":{"ipFamilyPolicy":"SingleStack"}}');
      expect(await clusterIPs('plain')).toEqual([first]);
      await eventually(async () => expect(await calls([second, 80])).toEqual(['ECONNREFUSED']));
      const { stderr } = await kubectl.try(['get', 'ipaddress', second]);
      expect(stderr).toContain('not found');
    });

    it('lets policies hold in both', async () => {
      const [ipv4 = '', ipv6 = ''] = await podIPs('server');
      const [, client = ''] = await podIPs('client');
      const restrict = (ingress: readonly object[]): Promise<unknown> =>
        kubectl.apply([
          {
            apiVersion: 'networking.k8s.io/v1',
            kind: 'NetworkPolicy',
            metadata: { name: 'server' },
            spec: { podSelector: { matchLabels: { app: 'server' } }, policyTypes: ['Ingress'], ingress },
          },
        ]);
      const answers = (): Promise<readonly string[]> => calls([ipv4, 8080], [ipv6, 8080]);
      await restrict([]);
      await eventually(async () => expect(await answers()).toEqual(['TimeoutError', 'TimeoutError']));
      await restrict([{ from: [{ ipBlock: { cidr: `${client}/128` } }] }]);
      await eventually(async () => expect(await answers()).toEqual(['TimeoutError', client]));
    });

    it('keeps its networks when the same command starts it again', async () => {
      const { podCidr, serviceCidr } = cluster.record();
      await cluster.down();
      const other = await cluster.kanoe(['up', '--dual-stack', '--pod-cidr', '10.251.0.0/16']);
      expect(other.stderr).toContain('--pod-cidr cannot change');
      await cluster.up(['--dual-stack', '--nodes', '2']);
      expect(cluster.record()).toMatchObject({ podCidr, serviceCidr });
    });
  });
});
