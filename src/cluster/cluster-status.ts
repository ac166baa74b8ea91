import { createClient } from '../client/create-client.ts';
import { nodes } from '../api/core/v1.gen.ts';
import { ingressclasses } from '../api/networking/v1.gen.ts';
import { urlsAnnotation } from '../network/ingress/ensure-ingress-class.ts';
import { adminKubeconfigFile } from './admin-kubeconfig.ts';
import { ClusterError } from './cluster-error.ts';
import { isRunning, readRecord } from './cluster-record.ts';
import type { StartupTimes } from './cluster-record.ts';
import { contextName } from './context-name.ts';
import type { Home } from './home.ts';
import { adminTransport } from './admin-transport.ts';

export interface ClusterStatus {
  readonly name: string;
  readonly id: string;
  readonly state: 'running' | 'stopped';
  /** Whether the API server answers. */
  readonly ready: boolean;
  readonly reason?: string;
  readonly pid?: number;
  readonly server?: string;
  readonly version?: string;
  readonly context: string;
  readonly nodes?: readonly { readonly name: string; readonly ready: boolean }[];
  readonly runtime?: string;
  readonly podCidr: string;
  readonly serviceCidr: string;
  readonly dataDirectory: string;
  readonly logFile?: string;
  readonly startup: StartupTimes;
  readonly limitations: readonly string[];
  /** Where Ingresses answer on this machine, once there are any. */
  readonly ingress?: readonly string[];
}

/** How a cluster does: its record, and what its API server says when it runs. Throws `NOT_FOUND`. */
export async function clusterStatus(home: Home, name: string): Promise<ClusterStatus> {
  const record = await readRecord(home, name);
  if (!record)
    throw new ClusterError(
      'NOT_FOUND',
      `there is no cluster named ${name}; \`kanoe up --name ${name}\` makes it, \`kanoe list\` shows those there are`,
    );
  const running = await isRunning(record);
  const known = {
    name,
    id: record.id,
    context: contextName(name),
    podCidr: record.podCidr,
    serviceCidr: record.serviceCidr,
    dataDirectory: record.dataDirectory,
    startup: record.startup,
    limitations: record.limitations,
    ...(record.runtime && { runtime: record.runtime }),
    ...(record.logFile && { logFile: record.logFile }),
  };
  if (!running) return { ...known, state: 'stopped', ready: false };
  const alive = {
    ...known,
    state: 'running' as const,
    ...(record.process && { pid: record.process.pid }),
    ...(record.server && { server: record.server }),
  };
  const client = createClient(await adminTransport(adminKubeconfigFile(home, name)));
  try {
    const signal = AbortSignal.timeout(5_000);
    const version = (await client.transport.raw('/version', signal)) as { readonly gitVersion: string };
    const list = await client.for(nodes).list({ signal });
    const ingress = (await client.for(ingressclasses).list({ signal })).items.flatMap(
      ({ metadata }) => metadata.annotations?.[urlsAnnotation]?.split(',') ?? [],
    );
    return {
      ...alive,
      ready: true,
      version: version.gitVersion,
      ...(ingress.length > 0 && { ingress }),
      nodes: list.items.map((node) => ({
        name: node.metadata.name,
        ready:
          node.status?.conditions?.some(
            (condition) => condition.type === 'Ready' && condition.status === 'True',
          ) ?? false,
      })),
    };
  } catch (error) {
    return { ...alive, ready: false, reason: error instanceof Error ? error.message : String(error) };
  } finally {
    await client.transport.close();
  }
}
