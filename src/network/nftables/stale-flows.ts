import { NetworkError } from '../network-error.ts';
import type { NetworkPlace } from '../network-place.ts';
import type { Backend, Frontend } from '../service-port.ts';

/** How the endpoints of a UDP service port changed. */
export interface EndpointChange {
  readonly family: 'IPv4' | 'IPv6';
  readonly frontends: readonly Frontend[];
  readonly before: readonly Backend[];
  readonly after: readonly Backend[];
}

/**
 * Forgets the UDP flows that lead to endpoints that are gone, or that found none when there was none; the kernel would
 * keep them for as long as their clients talk. Returns false when `conntrack` is not installed.
 */
export async function flushStaleFlows(
  changes: readonly EndpointChange[],
  place: NetworkPlace,
): Promise<boolean> {
  const filters = new Set<string>();
  for (const { family, frontends, before, after } of changes) {
    const of = family === 'IPv6' ? '-f ipv6 ' : '';
    const gone = before.filter(
      (old) => !after.some((backend) => backend.ip === old.ip && backend.port === old.port),
    );
    for (const { address, port } of frontends) {
      const entry = `${of}${address === undefined ? '' : `-d ${address} `}--orig-port-dst ${port}`;
      for (const backend of gone) filters.add(`${entry} --reply-src ${backend.ip}`);
      if (before.length === 0 && after.length > 0) filters.add(entry);
    }
  }
  for (const filter of filters) {
    try {
      await place.run('conntrack', ['-D', '-p', 'udp', ...filter.split(' ')]);
    } catch (error) {
      if (!(error instanceof NetworkError)) throw error;
      if (error.code === 'TOOL_MISSING') return false;
    }
  }
  return true;
}
