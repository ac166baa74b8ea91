import type { Clock } from '../../base/clock.ts';
import { ingressclasses, type IngressClass } from '../../api/networking/v1.gen.ts';
import type { Service } from '../../api/core/v1.gen.ts';
import type { Client } from '../../client/client.ts';
import type { Authority } from '../../machinery/x509/issue-certificate.ts';
import type { Informer } from '../../reconcile/informer.ts';
import { defaultCertificate } from './default-certificate.ts';
import { urlsAnnotation } from './ensure-ingress-class.ts';
import { ensureFrontendService } from './ensure-frontend-service.ts';
import type { IngressAddress } from './ingress-status.ts';
import type { IngressPlan } from './plan-ingresses.ts';
import type { ListenerPorts } from './proxy/ingress-proxy.ts';
import type { ProxyCertificate, ProxyListener } from './proxy/proxy-configuration.ts';

/**
 * Where the proxy is reached. `balanced`: it listens on an address of this machine, and Services of type LoadBalancer lead
 * there from addresses and ports of their own. `loopback`: there are no Services, clients come to it directly.
 */
export type FrontendPlace =
  | { readonly kind: 'balanced'; readonly address: string }
  | { readonly kind: 'loopback'; readonly address: string };

export interface FrontendOptions {
  readonly client: Client;
  readonly services: Informer<Service>;
  readonly classes: Informer<IngressClass>;
  readonly authority: Authority;
  readonly clock: Clock;
  readonly place: FrontendPlace;
}

/** The way from clients to the proxy for Ingresses. */
export interface IngressFrontend {
  listeners(plan: IngressPlan): readonly ProxyListener[];
  /** Makes the way there; resolves to where Ingresses answer once that is known. */
  announce(state: {
    readonly ports: ListenerPorts;
    readonly metricsPort: number;
    readonly serves: boolean;
  }): Promise<IngressAddress | undefined>;
  portTaken(port: number): void;
}

const namespace = 'kube-system';
const name = 'kanoe-ingress';

export function createIngressFrontend(options: FrontendOptions): IngressFrontend {
  const { client, place } = options;
  let fallback: ProxyCertificate | undefined;
  let announced = '';
  const taken = new Set<number>();

  async function announceService(
    http: number,
    https: number,
    metricsPort: number,
  ): Promise<IngressAddress | undefined> {
    const labels = { 'app.kubernetes.io/name': name, 'app.kubernetes.io/managed-by': 'kanoe' };
    const state = JSON.stringify([http, https, metricsPort]);
    if (announced !== state || !options.services.get(namespace, name)) {
      await Promise.all([
        ensureFrontendService(client, {
          namespace,
          name,
          type: 'LoadBalancer',
          labels,
          address: place.address,
          ports: [
            { name: 'http', port: 80, targetPort: http },
            { name: 'https', port: 443, targetPort: https },
          ],
        }),
        ensureFrontendService(client, {
          namespace,
          name: `${name}-metrics`,
          type: 'ClusterIP',
          labels: { ...labels, 'app.kubernetes.io/component': 'metrics' },
          annotations: { 'prometheus.io/scrape': 'true', 'prometheus.io/port': '10254' },
          address: place.address,
          ports: [{ name: 'metrics', port: 10_254, targetPort: metricsPort }],
        }),
      ]);
      announced = state;
    }
    const service = options.services.get(namespace, name);
    const ip = service?.status?.loadBalancer?.ingress?.[0]?.ip;
    if (!service || ip === undefined) return undefined;
    await announceUrls(
      (
        [
          ['http', 80],
          ['https', 443],
        ] as const
      ).map(([scheme, port]) => {
        if (!taken.has(port)) return `${scheme}://127.0.0.1`;
        const nodePort = service.spec?.ports?.find((one) => one.port === port)?.nodePort;
        return nodePort === undefined ? `${scheme}://${ip}` : `${scheme}://127.0.0.1:${nodePort}`;
      }),
    );
    return { ip, http: 80, https: 443 };
  }

  /** For people: `kanoe status` shows it. */
  async function announceUrls(urls: readonly string[]): Promise<void> {
    const current = options.classes.get(undefined, 'kanoe');
    const value = urls.join(',');
    if (!current || current.metadata.annotations?.[urlsAnnotation] === value) return;
    await client
      .for(ingressclasses)
      .patch(
        { name: 'kanoe' },
        { metadata: { annotations: { [urlsAnnotation]: value } } },
        { type: 'application/merge-patch+json' },
      );
  }

  return {
    listeners({ served, routes, certificates }) {
      if (served.length === 0) return [];
      fallback ??= defaultCertificate(options.authority, options.clock.now());
      const scopes = [{ host: '', routes }];
      const at = (port: number): Pick<ProxyListener, 'address' | 'ports' | 'publicPort'> => ({
        address: place.address,
        ...portsFor(place, port),
      });
      return [
        { name: 'ingress/80', ...at(80), scopes },
        { name: 'ingress/443', ...at(443), scopes, tls: { certificates: [...certificates, fallback] } },
      ];
    },
    async announce({ ports, metricsPort, serves }) {
      const http = ports['ingress/80'];
      const https = ports['ingress/443'];
      if (!serves || !http || !https || !('port' in http) || !('port' in https)) return undefined;
      if (place.kind === 'balanced') return await announceService(http.port, https.port, metricsPort);
      await announceUrls([`http://127.0.0.1:${http.port}`, `https://127.0.0.1:${https.port}`]);
      return { ip: place.address, http: http.port, https: https.port };
    },
    portTaken: (port) => void taken.add(port),
  };
}

/** Without Services in front, clients come to the port itself; those below 1024 are not for everybody. */
export function portsFor(
  { kind }: FrontendPlace,
  port: number,
): { readonly ports: readonly number[]; readonly publicPort?: number } {
  if (kind === 'balanced') return { ports: [0], publicPort: port };
  return { ports: [port < 1024 ? port + 8000 : port, 0] };
}
