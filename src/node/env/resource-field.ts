import type { Container, ResourceFieldSelector } from '../../api/core/v1.gen.ts';
import { parseQuantity } from '../../machinery/quantity.ts';

/** What the node can give to pods (`node.status.allocatable`), the limit of a container that sets none. */
export type Allocatable = Readonly<Record<string, string>>;

/** The value of a downward API `resourceFieldRef`, in units of its divisor, rounded up. */
export function resourceValue(
  container: Container,
  selector: ResourceFieldSelector,
  allocatable: Allocatable,
): string {
  const [list, ...rest] = selector.resource.split('.');
  const resource = rest.join('.');
  const limit = container.resources?.limits?.[resource] ?? allocatable[resource];
  const amount = list === 'limits' ? limit : container.resources?.requests?.[resource];
  const nanos = parseQuantity(amount ?? '0').nanos;
  const divisor = parseQuantity(selector.divisor ?? '0').nanos || 1_000_000_000n;
  return String((nanos + divisor - 1n) / divisor);
}
