import type { KubeObject, ResourceType } from '../../machinery/object.ts';
import { isStatus } from '../../machinery/status-error.ts';
import type { ApiRequest, Transport } from '../../machinery/transport.ts';
import { ipaddresses, type IPAddress, servicecidrs, type ServiceCIDR } from '../networking/v1.gen.ts';
import { ipFamily } from './pod-spec/ip-address.ts';
import type { Service } from './v1.gen.ts';

const familyLabel = 'ipaddress.kubernetes.io/ip-family';
const managerLabel = 'ipaddress.kubernetes.io/managed-by';
const manager = 'ipallocator.k8s.io';

function about({ group, version, resource }: ResourceType<KubeObject>): Omit<ApiRequest, 'verb'> {
  return { group, version, resource };
}

/** Says in an IPAddress that the service has this address. Resolves to false when something else has it. */
export async function claimAddress(server: Transport, address: string, service: Service): Promise<boolean> {
  const { name = '', namespace = '' } = service.metadata;
  const body: IPAddress = {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'IPAddress',
    metadata: {
      name: address,
      labels: { [familyLabel]: ipFamily(address) ?? '', [managerLabel]: manager },
    },
    spec: { parentRef: { group: '', resource: 'services', namespace, name } },
  };
  try {
    await server.request({ verb: 'create', ...about(ipaddresses), body });
    return true;
  } catch (error) {
    if (!isStatus(error, 'AlreadyExists')) throw error;
    const existing = (await server.request({
      verb: 'get',
      ...about(ipaddresses),
      name: address,
    })) as IPAddress;
    const parent = existing.spec?.parentRef;
    return parent?.resource === 'services' && parent.namespace === namespace && parent.name === name;
  }
}

/** Takes the IPAddresses back; those that are gone are no error. */
export async function dropAddresses(server: Transport, addresses: readonly string[]): Promise<void> {
  await Promise.all(
    addresses.map(async (name) => {
      try {
        await server.request({ verb: 'delete', ...about(ipaddresses), name });
      } catch (error) {
        if (!isStatus(error, 'NotFound')) throw error;
      }
    }),
  );
}

/** The ranges of all ServiceCIDRs that are ready, oldest first. */
export async function readyRanges(server: Transport): Promise<readonly string[]> {
  const list = (await server.request({ verb: 'list', ...about(servicecidrs) })) as {
    readonly items: readonly ServiceCIDR[];
  };
  return list.items
    .filter(
      ({ metadata, status }) =>
        metadata.deletionTimestamp === undefined &&
        status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True'),
    )
    .flatMap(({ spec }) => spec?.cidrs ?? [])
    .filter((cidr) => Number(cidr.split('/')[1]) <= (cidr.includes(':') ? 126 : 30));
}
