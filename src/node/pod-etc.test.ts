import { describe, expect, it } from 'vitest';
import type { Pod, PodSpec } from '../api/core/v1.gen.ts';
import { hostsFile, podHostname, resolvConf } from './pod-etc.ts';

const podOf = (spec: Partial<PodSpec>): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', namespace: 'ns' },
  spec: { containers: [], ...spec },
});
const dns = { clusterDns: ['10.96.0.10'], clusterDomain: 'cluster.local' };
const nodeFile = 'nameserver 192.0.2.53\nsearch corp.test\noptions rotate\n';

describe("a pod's resolv.conf", () => {
  it.each([
    [
      'ClusterFirst',
      {},
      'search ns.svc.cluster.local svc.cluster.local cluster.local corp.test\nnameserver 10.96.0.10\noptions ndots:5\n',
    ],
    [
      'ClusterFirst on the node network',
      { hostNetwork: true },
      'search corp.test\nnameserver 192.0.2.53\noptions rotate\n',
    ],
    ['Default', { dnsPolicy: 'Default' }, 'search corp.test\nnameserver 192.0.2.53\noptions rotate\n'],
    [
      'None with a configuration',
      {
        dnsPolicy: 'None',
        dnsConfig: {
          nameservers: ['1.2.3.4'],
          searches: ['one.test', 'two.test'],
          options: [{ name: 'ndots', value: '2' }, { name: 'edns0' }],
        },
      },
      'search one.test two.test\nnameserver 1.2.3.4\noptions ndots:2 edns0\n',
    ],
    [
      'merged with a configuration',
      { dnsConfig: { nameservers: ['1.2.3.4'], options: [{ name: 'ndots', value: '3' }] } },
      'search ns.svc.cluster.local svc.cluster.local cluster.local corp.test\nnameserver 10.96.0.10\nnameserver 1.2.3.4\noptions ndots:3\n',
    ],
  ] as const)('%s', (_name, spec, text) => {
    expect(resolvConf(podOf(spec), dns, nodeFile)).toBe(text);
  });
});

describe("a pod's names", () => {
  it('are its own, or those that the spec gives it', () => {
    expect(podHostname(podOf({}), 'cluster.local')).toEqual({ hostname: 'p', fqdn: undefined });
    expect(podHostname(podOf({ hostname: 'h', subdomain: 's' }), 'cluster.local')).toEqual({
      hostname: 'h',
      fqdn: 'h.s.ns.svc.cluster.local',
    });
  });

  it('stand in its hosts file with its aliases', () => {
    const pod = podOf({
      hostname: 'h',
      subdomain: 's',
      hostAliases: [{ ip: '1.2.3.4', hostnames: ['one', 'uno'] }],
    });
    const lines = hostsFile(pod, ['10.0.0.1'], 'cluster.local').split('\n');
    expect(lines.slice(7)).toEqual([
      '10.0.0.1\th.s.ns.svc.cluster.local\th',
      '',
      '# Entries added by HostAliases.',
      '1.2.3.4\tone\tuno',
      '',
    ]);
  });
});
