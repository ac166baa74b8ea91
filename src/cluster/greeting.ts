import { services } from '../api/core/v1.gen.ts';
import type { Service } from '../api/core/v1.gen.ts';
import type { Client } from '../client/client.ts';
import type { KubeObject, Live } from '../machinery/object.ts';
import type { ClusterRecord } from './cluster-record.ts';
import { contextName } from './context-name.ts';

/** What a person wants to know of a cluster that has just come up. */
export function greeting(record: ClusterRecord, kubeconfig: string | undefined): readonly string[] {
  const { apiReadyMs, nodeReadyMs, dnsReadyMs } = record.startup;
  const times = [
    `API ${apiReadyMs} ms`,
    ...(nodeReadyMs === undefined ? [] : [`node ${nodeReadyMs} ms`]),
    ...(dnsReadyMs === undefined ? [] : [`DNS ${dnsReadyMs} ms`]),
  ];
  const use =
    kubeconfig === undefined
      ? `kubectl --context ${contextName(record.name)} get pods -A`
      : `kubectl --kubeconfig ${kubeconfig} get pods -A`;
  return [
    `Cluster ${record.name} is ready at ${record.server} (${times.join(', ')}).`,
    ...record.limitations.map((limitation) => `Note: ${limitation}`),
    `  ${use}`,
    `  kanoe get pods -A${record.name === 'kanoe' ? '' : ` --name ${record.name}`}`,
  ];
}

/** One line for each way from this machine to the services among some objects that were applied. */
export async function serviceUrls(
  client: Client,
  objects: readonly KubeObject[],
): Promise<readonly string[]> {
  const lines: string[] = [];
  for (const { apiVersion, kind, metadata } of objects) {
    if (apiVersion !== 'v1' || kind !== 'Service' || !metadata.name) continue;
    const service = await client
      .for(services)
      .get({ namespace: metadata.namespace ?? 'default', name: metadata.name });
    lines.push(
      ...urlsOf(service).map((url) => `  ${service.metadata.namespace}/${service.metadata.name}: ${url}`),
    );
  }
  return lines;
}

function urlsOf(service: Live<Service>): readonly string[] {
  const ports = service.spec.ports ?? [];
  if (service.spec.type === 'LoadBalancer') return ports.map(({ port }) => `http://127.0.0.1:${port}`);
  if (service.spec.type === 'NodePort')
    return ports.flatMap(({ nodePort }) => (nodePort ? [`http://127.0.0.1:${nodePort}`] : []));
  return [];
}
