import { systemClock } from '../../base/clock.ts';
import { describeServiceProxy } from '../service-proxy.contract.ts';
import { startNftablesProxy } from './nftables-proxy.ts';

describeServiceProxy('the nftables proxy', {
  clusterId: 'f0a001',
  podCidr: '10.217.0.0/16',
  serviceCidr: '10.218.0.0/16',
  serviceAddresses: 'routed',
  start: (lab, onConflict) => startNftablesProxy({ ...lab, clock: systemClock, onConflict }),
});
