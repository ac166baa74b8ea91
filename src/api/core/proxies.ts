import { endpointslices, type EndpointSlice } from '../discovery/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import { newBadRequest, newServiceUnavailable } from '../../machinery/status/errors.ts';
import type { ConnectTarget, ProxyAddress, StrategyContext, SubresourceDefinition } from '../resource.ts';
import type { Node, Pod, Service } from './v1.gen.ts';

const verbs = ['create', 'delete', 'get', 'patch', 'update'] as const;

function kind(name: string): { readonly group: ''; readonly version: 'v1'; readonly kind: string } {
  return { group: '', version: 'v1', kind: name };
}

/** `nodes/NAME/proxy/PATH`: the node's kubelet endpoint. */
export const nodeProxy: SubresourceDefinition<Node> = {
  kind: kind('NodeProxyOptions'),
  verbs,
  proxy: ({ metadata }, { path }) =>
    Promise.resolve({ nodeName: metadata.name, path, query: new URLSearchParams() }),
};

/** `pods/NAME:PORT/proxy/PATH`: the pod's own address; without a port the first that a container declares, else the scheme's. */
export const podProxy: SubresourceDefinition<Pod> = {
  kind: kind('PodProxyOptions'),
  verbs,
  proxy(pod, { scheme, port, path }) {
    const declared = pod.spec.containers.flatMap(({ ports = [] }) => ports);
    const usual = scheme === 'https' ? 443 : 80;
    const number = port === '' ? (declared[0]?.containerPort ?? usual) : Number(port);
    const host = pod.status?.podIP;
    if (!host) throw newBadRequest('address not allowed');
    if (!Number.isInteger(number) || number < 1 || number > 65_535)
      throw newBadRequest(`invalid port ${JSON.stringify(port)}`);
    return Promise.resolve(to({ scheme, port, path }, host, number));
  },
};

/** `services/NAME:PORT/proxy/PATH`: a ready endpoint of the service; without a port its only one. */
export const serviceProxy: SubresourceDefinition<Service> = {
  kind: kind('ServiceProxyOptions'),
  verbs,
  async proxy(service, address, context) {
    const { name, namespace = '' } = service.metadata;
    const { ports = [] } = service.spec;
    const { port } = address;
    const wanted =
      port === '' && ports.length === 1
        ? ports[0]
        : ports.find((one) => one.name === port || String(one.port) === port);
    if (!wanted)
      throw newServiceUnavailable(
        `no service port ${JSON.stringify(port)} found for service ${JSON.stringify(name)}`,
      );
    for (const { endpoints, ports: numbers } of await slicesOf(context, namespace, name)) {
      const number = numbers?.find((one) => (one.name ?? '') === (wanted.name ?? ''))?.port;
      const ready = endpoints.find(({ conditions }) => conditions?.ready !== false);
      const host = ready?.addresses[0];
      if (host !== undefined && number !== undefined) return to(address, host, number);
    }
    throw newServiceUnavailable(`no endpoints available for service ${JSON.stringify(name)}`);
  },
};

function to({ scheme, path }: ProxyAddress, host: string, port: number): ConnectTarget {
  return { nodeName: '', backend: { scheme, host, port }, path, query: new URLSearchParams() };
}

async function slicesOf(
  { server }: StrategyContext,
  namespace: string,
  service: string,
): Promise<readonly Live<EndpointSlice>[]> {
  const { group, version, resource } = endpointslices;
  const params = { labelSelector: `kubernetes.io/service-name=${service}` };
  const list = await server.request({ verb: 'list', group, version, resource, namespace, params });
  return (list as { readonly items: readonly Live<EndpointSlice>[] }).items;
}
