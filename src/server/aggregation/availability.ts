import type { APIService, APIServiceCondition } from '../../api/apiregistration/v1.gen.ts';
import { services, type Service } from '../../api/core/v1.gen.ts';
import { timestamp } from '../../base/clock.ts';
import type { Lookup } from '../admission/lookup.ts';
import type { ServiceResolver } from '../callout/service-resolver.ts';

/** Why a server behind a service is or is not there, in upstream's words. */
export interface Availability {
  readonly status: 'True' | 'False';
  readonly reason: string;
  readonly message: string;
}

const unavailable = (reason: string, message: string): Availability => ({ status: 'False', reason, message });

/** What an APIService's service and its endpoints say by themselves; undefined when the server is to be asked. */
export function serviceProblem(
  { spec }: APIService,
  lookup: Lookup,
  resolver: ServiceResolver,
): Availability | undefined {
  const { namespace = '', name = '', port = 443 } = spec.service ?? {};
  const where = `service/${name} in ${JSON.stringify(namespace)}`;
  const service = lookup.get<Service>(services, namespace, name);
  if (!service) return unavailable('ServiceNotFound', `${where} is not present`);
  if (service.spec.type === 'ExternalName') return undefined;
  const found = service.spec.ports?.find((candidate) => candidate.port === port);
  if (!found) return unavailable('ServicePortError', `${where} is not listening on port ${port}`);
  if (!('error' in resolver.resolve({ namespace, name, port }))) return undefined;
  return unavailable(
    'MissingEndpoints',
    `endpointslices for ${where} have no addresses with port name ${JSON.stringify(found.name ?? '')}`,
  );
}

/** The server answers. */
export const passed: Availability = { status: 'True', reason: 'Passed', message: 'all checks passed' };

/** The server does not answer its discovery. */
export function failedDiscovery(url: string, error: string): Availability {
  return unavailable('FailedDiscoveryCheck', `failing or missing response from ${url}: ${error}`);
}

/** The conditions with this availability; undefined when they say it already. */
export function withAvailability(
  conditions: readonly APIServiceCondition[],
  { status, reason, message }: Availability,
  now: number,
): APIServiceCondition[] | undefined {
  const before = conditions.find(({ type }) => type === 'Available');
  if (before?.status === status && before.reason === reason && before.message === message) return undefined;
  const unchanged = before?.status === status ? before.lastTransitionTime : undefined;
  const condition = {
    type: 'Available',
    status,
    lastTransitionTime: unchanged ?? timestamp(now),
    reason,
    message,
  };
  return [...conditions.filter(({ type }) => type !== 'Available'), condition];
}

/** Whether the conditions say that the server can be used. */
export function isAvailable({ status }: APIService): boolean {
  return status?.conditions?.some(({ type, status: is }) => type === 'Available' && is === 'True') ?? false;
}
