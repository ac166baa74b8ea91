import type { Service } from '../../api/core/v1.gen.ts';
import type { Endpoint } from '../../api/discovery/v1.gen.ts';

/** The endpoint with what `trafficDistribution` of its service tells proxies about who should use it. */
export function withHints({ spec }: Service, endpoint: Endpoint): Endpoint {
  const { nodeName, zone, conditions } = endpoint;
  if (conditions?.ready !== true) return endpoint;
  const forZones = zone === undefined ? undefined : [{ name: zone }];
  switch (spec.trafficDistribution) {
    case 'PreferClose':
    case 'PreferSameZone':
      return forZones ? { ...endpoint, hints: { forZones } } : endpoint;
    case 'PreferSameNode': {
      if (nodeName === undefined) return endpoint;
      const forNodes = [{ name: nodeName }];
      return { ...endpoint, hints: { forNodes, ...(forZones && { forZones }) } };
    }
    default:
      return endpoint;
  }
}
