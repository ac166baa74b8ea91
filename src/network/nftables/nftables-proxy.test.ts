import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../base/clock.ts';
import { formatIpv4 } from '../../base/ipv4.ts';
import { tableName } from '../link-names.ts';
import { runTool } from '../run-tool.ts';
import { describeServiceProxy } from '../service-proxy.contract.ts';
import type { ServiceProxy } from '../service-proxy.ts';
import { createPodLab, labHindrance, randomNodePort, type PodLab, type TestPod } from '../testing/pod-lab.ts';
import { startNftablesProxy } from './nftables-proxy.ts';

describeServiceProxy('the nftables proxy', {
  serviceAddresses: 'routed',
  start: (lab, onConflict) => startNftablesProxy({ ...lab, clock: systemClock, onConflict }),
});

describeServiceProxy('the nftables proxy of IPv6', {
  serviceAddresses: 'routed',
  family: 'IPv6',
  start: (lab, onConflict) => startNftablesProxy({ ...lab, clock: systemClock, onConflict }),
});

const hindrance = labHindrance();

describe.skipIf(hindrance !== undefined)('packets through the nftables proxy', () => {
  let lab: PodLab;
  let proxy: ServiceProxy;
  let pod: TestPod;
  let stranger: TestPod;
  const nodePort = randomNodePort();
  const serviceIP = (last: number): string => formatIpv4(lab.serviceRange.network + last);

  beforeAll(async () => {
    lab = await createPodLab('routed');
    proxy = await startNftablesProxy({ ...lab, clock: systemClock, onConflict: () => {} });
    pod = await lab.addPod('pod', 0);
    await pod.listen('tcp', 8080);
    stranger = await lab.addStranger('203.0.113');
    await stranger.listen('tcp', 9090);
  });

  afterAll(async () => {
    await proxy.close();
    await lab.remove();
  });

  it('leave the cluster under an address of the machine', async () => {
    expect(await pod.tcp(stranger.ip, 9090)).toBe('outside 203.0.113.1 hello');
  });

  it('keep the address of their client on the way to a node port', async () => {
    await proxy.update({
      set: [
        {
          key: 'default/web/tcp/80',
          protocol: 'TCP',
          frontends: [{ role: 'nodePort', port: nodePort }],
          endpoints: [{ ip: pod.ip, port: 8080 }],
        },
      ],
      removed: [],
    });
    expect(await stranger.tcp('203.0.113.1', nodePort)).toBe(`pod ${stranger.ip} hello`);
  });

  it('come back from endpoints outside the cluster', async () => {
    await proxy.update({
      set: [
        {
          key: 'default/far/tcp/80',
          protocol: 'TCP',
          frontends: [{ role: 'clusterIP', address: serviceIP(30), port: 80 }],
          endpoints: [{ ip: stranger.ip, port: 9090 }],
        },
      ],
      removed: [],
    });
    expect(await pod.tcp(serviceIP(30), 80)).toBe('outside 203.0.113.1 hello');
    expect(await lab.host.tcp(serviceIP(30), 80)).toMatch(/^outside .* hello$/);
  });

  it('are back in force after somebody flushed all rules', async () => {
    await runTool('nft', ['delete', 'table', 'ip', tableName(lab.clusterId)]);
    await proxy.update({ set: [], removed: ['default/far/tcp/80'] });
    await proxy.update({
      set: [
        {
          key: 'default/late/tcp/80',
          protocol: 'TCP',
          frontends: [{ role: 'clusterIP', address: serviceIP(31), port: 80 }],
          endpoints: [{ ip: pod.ip, port: 8080 }],
        },
      ],
      removed: [],
    });
    expect(await lab.host.tcp('127.0.0.1', nodePort)).toMatch(/^pod .* hello$/);
    expect(await lab.host.tcp(serviceIP(31), 80)).toMatch(/^pod .* hello$/);
  });
});
