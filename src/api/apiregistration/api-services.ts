import { timestamp } from '../../base/clock.ts';
import { mutableCopy } from '../../machinery/mutable-copy.ts';
import type { DeepMutable } from '../../machinery/object.ts';
import { nameRule, pathSegmentNameErrors } from '../../machinery/validation/names.ts';
import { ageColumn, nameColumn } from '../columns.ts';
import { type ResourceDefinition, defineResource } from '../resource.ts';
import { validateApiService, validateApiServiceStatus } from './api-service-validation.ts';
import { type APIService, type APIServiceCondition, apiservices } from './v1.gen.ts';

const defaultPort = 443;

function defaultApiService(service: DeepMutable<APIService>): void {
  service.spec ??= {} as typeof service.spec;
  service.status ??= {};
  if (service.spec.service) service.spec.service.port ??= defaultPort;
}

/** The condition of an APIService that the API server itself serves. */
export function localCondition(now: number): APIServiceCondition {
  return {
    type: 'Available',
    status: 'True',
    lastTransitionTime: timestamp(now),
    reason: 'Local',
    message: 'Local APIServices are always available',
  };
}

function reachedThrough({ spec }: APIService): string {
  return spec.service ? `${spec.service.namespace ?? ''}/${spec.service.name ?? ''}` : 'Local';
}

function availability({ status }: APIService): string {
  const found = status?.conditions?.find(({ type }) => type === 'Available');
  if (!found) return 'Unknown';
  return found.status === 'True' ? found.status : `${found.status} (${found.reason ?? ''})`;
}

/** Which server serves a version of a group: this one, or one behind a service. */
export const apiServices: ResourceDefinition<APIService> = defineResource<APIService>({
  storage: 'v1',
  versions: {
    v1: {
      type: apiservices,
      schema: 'io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.APIService',
      defaults: defaultApiService,
    },
  },
  unconditionalUpdate: false,
  validateName: nameRule(pathSegmentNameErrors),
  prepareForCreate(service, { now }) {
    service.status = service.spec.service ? {} : { conditions: [localCondition(now)] };
  },
  prepareForUpdate(next, old) {
    next.status = mutableCopy(old.status ?? {});
  },
  validate: validateApiService,
  validateUpdate: validateApiService,
  status: {
    prepare(next, old) {
      next.spec = mutableCopy(old.spec);
      next.metadata.labels = mutableCopy(old.metadata.labels ?? {});
      next.metadata.annotations = mutableCopy(old.metadata.annotations ?? {});
      if (old.metadata.finalizers) next.metadata.finalizers = mutableCopy(old.metadata.finalizers);
      else delete next.metadata.finalizers;
      if (old.metadata.ownerReferences)
        next.metadata.ownerReferences = mutableCopy(old.metadata.ownerReferences);
      else delete next.metadata.ownerReferences;
    },
    validate: validateApiServiceStatus,
  },
  columns: [
    nameColumn(),
    {
      name: 'Service',
      type: 'string',
      description: 'The reference to the service that hosts this API endpoint.',
      cell: reachedThrough,
    },
    {
      name: 'Available',
      type: 'string',
      description: 'Whether this service is available.',
      cell: availability,
    },
    ageColumn(),
  ],
});
