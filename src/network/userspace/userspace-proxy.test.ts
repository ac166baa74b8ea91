import { systemClock } from '../../base/clock.ts';
import { enableForwarding } from '../forwarding.ts';
import { ownPlace } from '../network-place.ts';
import { describeServiceProxy } from '../service-proxy.contract.ts';
import { UserspaceProxy } from './userspace-proxy.ts';

for (const family of ['IPv4', 'IPv6'] as const)
  describeServiceProxy(`the user-space proxy of ${family}`, {
    serviceAddresses: 'local',
    family,
    async start(lab, onConflict) {
      if (family === 'IPv6') await enableForwarding(ownPlace(), ['IPv6']);
      return new UserspaceProxy({ clusterId: lab.clusterId, clock: systemClock, onConflict });
    },
  });
