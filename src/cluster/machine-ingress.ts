import { join } from 'node:path';
import { ensureIngressClass } from '../network/ingress/ensure-ingress-class.ts';
import { startIngress, type RunningIngress } from '../network/ingress/start-ingress.ts';
import { createEventRecorder } from '../reconcile/create-event-recorder.ts';
import type { ControlPlane } from './control-plane.ts';
import type { ClusterPlan } from './plan-cluster.ts';
import type { StartOptions } from './start-cluster.ts';

/** What serves the Ingresses and Gateways of a cluster on this machine. */
export interface MachineIngress {
  /** Resolves when Ingresses get the class of those that are served. */
  readonly ready: Promise<void>;
  /** Resolves when the kinds of the Gateway API are served, too; begins with that when the nodes are ready. */
  gatewayReady(): Promise<void>;
  /** A load balancer's port of this machine belongs to another process. */
  portTaken(service: string, port: number): void;
  stop(): Promise<void>;
}

interface IngressSurroundings {
  readonly plan: ClusterPlan;
  readonly options: StartOptions;
  readonly controlPlane: ControlPlane;
}

const maxLogBytes = 10 * 1024 * 1024;
const maxLogBackups = 4;

/**
 * Serves Ingresses: at addresses of load balancers where there is a network (`address` is this machine's in it), else on
 * loopback. Undefined where there are no nodes, or nobody wants it.
 */
export function startMachineIngress(
  { plan, options, controlPlane }: IngressSurroundings,
  address: string | undefined,
): MachineIngress | undefined {
  if (plan.nodes.length === 0 || options.ingress === false) return undefined;
  const { clock, report, program } = options;
  const { client, informers, pki } = controlPlane;
  const ready = ensureIngressClass(client);
  ready.catch(() => undefined);
  const running: RunningIngress = startIngress({
    client,
    informers,
    clock,
    events: createEventRecorder(client, { clock, component: 'kanoe-ingress' }),
    place: address === undefined ? { kind: 'loopback', address: '127.0.0.1' } : { kind: 'balanced', address },
    ...(program.ingressWorker !== '' && { workerFile: program.ingressWorker }),
    accessLog: {
      file: join(plan.dataDirectory, 'logs', 'ingress.log'),
      maxBytes: maxLogBytes,
      maxBackups: maxLogBackups,
    },
    authority: pki.ca,
    onError: (error) => report.warn(`ingress: ${error instanceof Error ? error.message : String(error)}`),
  });
  const stopping = new AbortController();
  let installing: Promise<void> | undefined;
  const install = async (): Promise<void> => {
    const { installGatewayApi } = await import('../network/ingress/gateway/install-gateway-api.ts');
    try {
      await installGatewayApi(client, clock, stopping.signal);
    } catch (error) {
      if (!stopping.signal.aborted) throw error;
    }
  };
  return {
    ready,
    gatewayReady() {
      installing ??= options.gatewayApi === false ? Promise.resolve() : install();
      return installing;
    },
    portTaken(service, port) {
      if (service === 'kube-system/kanoe-ingress') running.portTaken(port);
    },
    async stop() {
      stopping.abort();
      await installing?.catch(() => undefined);
      await running.stop();
    },
  };
}
