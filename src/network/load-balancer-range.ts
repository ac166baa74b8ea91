import { formatIpv4Range, ipv4Subrange, type Ipv4Range } from '../base/ipv4.ts';
import { NetworkError } from './network-error.ts';

/** The part of a cluster's pod range that is for load balancers: the last /24. Throws `INVALID_RANGE` when the range is smaller than a /22. */
export function loadBalancerRange(podRange: Ipv4Range): Ipv4Range {
  const range = podRange.prefix <= 22 ? ipv4Subrange(podRange, 24, -1) : undefined;
  if (!range)
    throw new NetworkError(
      'INVALID_RANGE',
      `the pod range ${formatIpv4Range(podRange)} is too small: each node takes a /24, load balancers the last; take a /22 or larger`,
    );
  return range;
}
