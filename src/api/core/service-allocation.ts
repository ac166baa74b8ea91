import { invalid } from '../../machinery/field-error.ts';
import type { DeepMutable } from '../../machinery/object.ts';
import { newInvalid } from '../../machinery/status/errors.ts';
import { StatusError } from '../../machinery/status-error.ts';
import type { Allocation, StrategyContext } from '../resource.ts';
import { claimAddress, dropAddresses, readyRanges } from './service-address-objects.ts';
import { addressesOf, type ServiceAllocator, type TakenNow } from './service-allocator.ts';
import type { Service } from './v1.gen.ts';

const attempts = 16;

/** A service to be written, and how it was. */
export interface ServiceWrite {
  readonly service: DeepMutable<Service>;
  readonly old: Service | undefined;
  readonly context: StrategyContext;
}

/** Allocates for a service and keeps an IPAddress for each address it has. Throws `Invalid` for what is taken. */
export async function allocateWithObjects(
  allocator: ServiceAllocator,
  { service, old, context: { server, dryRun } }: ServiceWrite,
): Promise<Allocation> {
  const before = old ? addressesOf(old) : [];
  const { clusterIP: chosen, clusterIPs: chosenIPs } = structuredClone(service.spec);
  const asked = addressesOf({ ...service, spec: { clusterIPs: [chosen ?? '', ...(chosenIPs ?? [])] } });
  if (service.spec.type !== 'ExternalName' && chosen !== 'None') allocator.extend(await readyRanges(server));
  for (let attempt = 1; ; attempt++) {
    const allocation = allocator.allocate(service, old);
    const added = addressesOf(service).filter((address) => !before.includes(address));
    if (dryRun) return allocation;
    const refusal = await claimAll(allocation, { service, added, server });
    if (refusal === undefined) return settling(allocation, { service, before, added, server });
    const taken = refusal.reason === undefined;
    const wanted = asked.includes(refusal.address);
    if (taken && !wanted && attempt < attempts) {
      delete service.spec.clusterIP;
      delete service.spec.clusterIPs;
      if (chosen !== undefined) service.spec.clusterIP = chosen;
      if (chosenIPs !== undefined) service.spec.clusterIPs = [...chosenIPs];
      continue;
    }
    const which = wanted ? ` ${refusal.address}` : '';
    const detail = `failed to allocate IP${which}: ${refusal.reason ?? 'provided IP is already allocated'}`;
    throw newInvalid({ group: '', kind: 'Service' }, service.metadata.name ?? '', [
      invalid('spec.clusterIPs', wanted ? service.spec.clusterIPs : [''], detail),
    ]);
  }
}

interface Claims {
  readonly service: Service;
  readonly added: readonly string[];
  readonly server: StrategyContext['server'];
}

interface Refused {
  readonly address: string;
  /** Why the server refuses its IPAddress; absent when something else has it. */
  readonly reason?: string;
}

/** Resolves to the address that the service cannot have; then nothing is allocated any more. */
async function claimAll(
  allocation: TakenNow,
  { service, added, server }: Claims,
): Promise<Refused | undefined> {
  const claimed: string[] = [];
  for (const address of added) {
    const refused = await claimOne(server, address, service);
    if (!refused) {
      claimed.push(address);
      continue;
    }
    await dropAddresses(server, claimed);
    allocation.rollback();
    return refused;
  }
  return undefined;
}

async function claimOne(
  server: Claims['server'],
  address: string,
  service: Service,
): Promise<Refused | undefined> {
  try {
    return (await claimAddress(server, address, service)) ? undefined : { address };
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    return { address, reason: error.message };
  }
}

function settling(
  allocation: TakenNow,
  { service, before, added, server }: Claims & { readonly before: readonly string[] },
): Allocation {
  return {
    async commit() {
      const kept = addressesOf(service);
      allocation.commit();
      await dropAddresses(
        server,
        before.filter((address) => !kept.includes(address)),
      );
    },
    async rollback() {
      allocation.rollback();
      await dropAddresses(server, added);
    },
  };
}
