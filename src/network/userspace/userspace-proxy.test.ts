import { systemClock } from '../../base/clock.ts';
import { describeServiceProxy } from '../service-proxy.contract.ts';
import { UserspaceProxy } from './userspace-proxy.ts';

describeServiceProxy('the user-space proxy', {
  serviceAddresses: 'local',
  start: (lab, onConflict) =>
    Promise.resolve(new UserspaceProxy({ clusterId: lab.clusterId, clock: systemClock, onConflict })),
});
