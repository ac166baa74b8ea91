import { systemClock } from '../../base/clock.ts';
import { describeServiceProxy } from '../service-proxy.contract.ts';
import { UserspaceProxy } from './userspace-proxy.ts';

describeServiceProxy('the user-space proxy', {
  clusterId: 'f0a002',
  podCidr: '10.219.0.0/16',
  serviceCidr: '10.220.0.0/16',
  serviceAddresses: 'local',
  start: (lab, onConflict) =>
    Promise.resolve(new UserspaceProxy({ clusterId: lab.clusterId, clock: systemClock, onConflict })),
});
