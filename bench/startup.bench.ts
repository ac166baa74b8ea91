import { bareServerStart, startBenchCluster } from './bench-cluster.ts';
import { quantile, type Report } from './bench-row.ts';

export const name = 'startup: cold `kanoe up --detach` in an empty data directory';

const rounds = 7;

/** Medians over several cold starts, beside the start of a bare `node:http` server. */
export async function run(report: Report): Promise<void> {
  const bare: number[] = [];
  const api: number[] = [];
  const node: number[] = [];
  const dns: number[] = [];
  const whole: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    bare.push(await bareServerStart());
    const cluster = await startBenchCluster();
    api.push(cluster.record.startup.apiReadyMs ?? Number.NaN);
    node.push(cluster.record.startup.nodeReadyMs ?? Number.NaN);
    dns.push(cluster.record.startup.dnsReadyMs ?? Number.NaN);
    whole.push(cluster.upMs);
    await cluster.stop();
  }
  const limit = quantile(bare, 0.5);
  report({ what: 'API ready', value: quantile(api, 0.5), unit: 'ms', limit });
  report({ what: 'node Ready', value: quantile(node, 0.5), unit: 'ms', limit });
  report({ what: 'DNS answering', value: quantile(dns, 0.5), unit: 'ms', limit });
  report({ what: 'the whole command', value: quantile(whole, 0.5), unit: 'ms', limit });
}
