import { describe, expect, it } from 'vitest';
import { FakeClock } from '../../base/fake-clock.ts';
import type { ServicePort } from '../service-port.ts';
import { createBalancer } from './balancer.ts';

const [a, b] = [
  { ip: '10.244.0.2', port: 80 },
  { ip: '10.244.0.3', port: 80 },
];
const port: ServicePort = { key: 'default/web/tcp/80', protocol: 'TCP', frontends: [], endpoints: [a, b] };

describe('choosing endpoints', () => {
  it('goes round', () => {
    const balancer = createBalancer(port, new FakeClock());
    const chosen = [1, 2, 3].map(() => balancer.pick('192.0.2.1', 'clusterIP'));
    expect(chosen).toEqual([a, b, a]);
  });

  it('has nothing when there is none', () => {
    const balancer = createBalancer({ ...port, endpoints: [] }, new FakeClock());
    expect(balancer.pick('192.0.2.1', 'clusterIP')).toBeUndefined();
  });

  it('keeps clients until they were silent for too long', async () => {
    const clock = new FakeClock();
    const balancer = createBalancer({ ...port, affinitySeconds: 10 }, clock);
    const pick = (): unknown => balancer.pick('192.0.2.1', 'clusterIP');
    expect([pick(), pick()]).toEqual([a, a]);
    await clock.advance(9_000);
    expect(pick()).toEqual(a);
    await clock.advance(10_000);
    expect(pick()).toEqual(b);
  });

  it('moves clients whose endpoint is gone', () => {
    const sticky = { ...port, affinitySeconds: 10 };
    const balancer = createBalancer(sticky, new FakeClock());
    balancer.pick('192.0.2.1', 'clusterIP');
    balancer.update({ ...sticky, endpoints: [b] });
    expect([balancer.has(a), balancer.pick('192.0.2.1', 'clusterIP')]).toEqual([false, b]);
  });
});
