import { invalid } from '../../machinery/field-error.ts';
import type { DeepMutable } from '../../machinery/object.ts';
import { newInternalError, newInvalid } from '../../machinery/status/errors.ts';
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
  const chosen = service.spec.clusterIP;
  if (service.spec.type !== 'ExternalName' && chosen !== 'None') allocator.extend(await readyRanges(server));
  for (let attempt = 1; ; attempt++) {
    const allocation = allocator.allocate(service, old);
    const added = addressesOf(service).filter((address) => !before.includes(address));
    if (dryRun) return allocation;
    const refused = await claimAll(allocation, { service, added, server });
    if (refused === undefined) return settling(allocation, { service, before, added, server });
    if (chosen) {
      const detail = `failed to allocate IP ${refused}: provided IP is already allocated`;
      throw newInvalid({ group: '', kind: 'Service' }, service.metadata.name ?? '', [
        invalid('spec.clusterIPs', service.spec.clusterIPs, detail),
      ]);
    }
    if (attempt === attempts) throw newInternalError('failed to allocate a serviceIP: range is full');
    delete service.spec.clusterIP;
    delete service.spec.clusterIPs;
  }
}

interface Claims {
  readonly service: Service;
  readonly added: readonly string[];
  readonly server: StrategyContext['server'];
}

/** Resolves to the address that something else has; then nothing is allocated any more. */
async function claimAll(
  allocation: TakenNow,
  { service, added, server }: Claims,
): Promise<string | undefined> {
  const claimed: string[] = [];
  for (const address of added) {
    try {
      if (await claimAddress(server, address, service)) {
        claimed.push(address);
        continue;
      }
    } catch (error) {
      allocation.rollback();
      throw error;
    }
    await dropAddresses(server, claimed);
    allocation.rollback();
    return address;
  }
  return undefined;
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
