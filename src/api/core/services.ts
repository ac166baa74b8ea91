import { mutableCopy } from '../../machinery/mutable-copy.ts';
import { dns1123LabelErrors, nameRule } from '../../machinery/validation/names.ts';
import { type ResourceDefinition, defineResource } from '../resource.ts';
import { serviceProxy } from './proxies.ts';
import { validateAddressChange } from './service-addresses.ts';
import { allocateWithObjects } from './service-allocation.ts';
import { dropAddresses } from './service-address-objects.ts';
import { addressesOf, serviceAllocator } from './service-allocator.ts';
import { serviceColumns } from './service-columns.ts';
import { defaultService } from './service-defaults.ts';
import { dropTypeDependentFields } from './service-normalize.ts';
import { validateService, validateServiceStatus, validateServiceUpdate } from './service-validation.ts';
import { serviceWarnings } from './service-warnings.ts';
import type { AllocationObserver } from './allocation-observer.ts';
import { type Service, services as serviceType } from './v1.gen.ts';

export interface ServiceOptions {
  readonly serviceCidr: string;
  /** Hears of addresses and node ports that are given out. */
  readonly allocations?: AllocationObserver;
}

/** Services of a cluster whose service addresses come from this range. Every definition has an allocator of its own. */
export function services(options: ServiceOptions): ResourceDefinition<Service> {
  const allocator = serviceAllocator(options.serviceCidr, options.allocations);
  return defineResource<Service>({
    storage: 'v1',
    versions: { v1: { type: serviceType, schema: 'io.k8s.api.core.v1.Service', defaults: defaultService } },
    storagePath: 'services/specs',
    createOnUpdate: true,
    validateName: nameRule(dns1123LabelErrors),
    prepareForCreate(service) {
      service.status = { loadBalancer: {} };
    },
    prepareForUpdate(next, old) {
      dropTypeDependentFields(next, old);
      next.status = mutableCopy(old.status ?? { loadBalancer: {} });
    },
    returnsDeleted: true,
    validate: validateService,
    validateUpdate: (next, old) => [
      ...validateAddressChange(next, old),
      ...validateServiceUpdate(next, old),
      ...validateService(next),
    ],
    status: { validate: validateServiceStatus },
    subresources: { proxy: serviceProxy },
    warnings: serviceWarnings,
    allocate: (service, old, context) => allocateWithObjects(allocator, { service, old, context }),
    async release(service, server) {
      allocator.release(service);
      await dropAddresses(server, addressesOf(service));
    },
    restore: (stored) => allocator.restore(stored),
    selectableFields: {
      'spec.clusterIP': ({ spec }) => spec.clusterIP ?? '',
      'spec.type': ({ spec }) => spec.type ?? '',
    },
    columns: serviceColumns,
  });
}
