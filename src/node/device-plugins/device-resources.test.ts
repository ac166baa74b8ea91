import { beforeEach, describe, expect, it } from 'vitest';
import type { Clock } from '../../base/clock.ts';
import type { DeviceEndpoint, DeviceResources } from './device-resources.ts';
import { createDeviceResources } from './device-resources.ts';

let timers: { readonly ms: number; readonly run: () => void }[];
let changes: number;
let resources: DeviceResources;
const clock: Clock = {
  now: () => 0,
  monotonic: () => 0,
  after(ms, run) {
    const timer = { ms, run };
    timers.push(timer);
    return { cancel: () => void (timers = timers.filter((other) => other !== timer)) };
  },
};

beforeEach(() => {
  timers = [];
  changes = 0;
  resources = createDeviceResources(clock, () => void (changes += 1));
});

interface FakeEndpoint extends DeviceEndpoint {
  tell(devices: Readonly<Record<string, string>>): void;
  end(): void;
  closed(): boolean;
}

function endpoint(): FakeEndpoint {
  let closed = false;
  let listener: { onMessage(message: never): void; onEnd(why: 'ended'): void } | undefined;
  return {
    options: { pre_start_required: false, get_preferred_allocation_available: false },
    connection: {
      call: () => Promise.reject(new Error('is not called')),
      watch(_name, _request, given) {
        listener = given;
        return { close: () => undefined };
      },
      close: () => void (closed = true),
    },
    tell: (devices) =>
      listener?.onMessage({
        devices: Object.entries(devices).map(([ID, health]) => ({ ID, health })),
      } as never),
    end: () => listener?.onEnd('ended'),
    closed: () => closed,
  };
}

describe('the resources of device plug-ins', () => {
  it('count what their plug-ins tell', () => {
    const one = endpoint();
    void resources.add('e/d', one);
    one.tell({ a: 'Healthy', b: 'Unhealthy', c: 'Healthy' });
    expect([resources.capacity(), resources.allocatable(), resources.healthy('e/d')]).toEqual([
      { 'e/d': '3' },
      { 'e/d': '2' },
      ['a', 'c'],
    ]);
    one.tell({ a: 'Healthy' });
    expect([resources.capacity(), changes]).toEqual([{ 'e/d': '1' }, 2]);
  });

  it('are of no use when the plug-in ends, and forgotten five minutes later', () => {
    const one = endpoint();
    void resources.add('e/d', one);
    one.tell({ a: 'Healthy' });
    one.end();
    expect([resources.capacity(), resources.allocatable(), resources.names()]).toEqual([
      { 'e/d': '1' },
      { 'e/d': '0' },
      ['e/d'],
    ]);
    expect(timers.map(({ ms }) => ms)).toEqual([300_000]);
    timers[0]?.run();
    expect([resources.capacity(), resources.names(), resources.healthy('e/d')]).toEqual([
      { 'e/d': '0' },
      [],
      undefined,
    ]);
  });

  it('are those of the plug-in that came last', () => {
    const [one, two] = [endpoint(), endpoint()];
    void resources.add('e/d', one);
    one.tell({ a: 'Healthy' });
    void resources.add('e/d', two);
    expect(one.closed()).toBe(true);
    two.tell({ b: 'Healthy' });
    one.tell({ c: 'Healthy', d: 'Healthy' });
    one.end();
    expect([resources.healthy('e/d'), resources.endpoint('e/d') === two]).toEqual([['b'], true]);
  });

  it('are none until the plug-ins of an earlier agent come back', () => {
    resources.expect(['e/d']);
    expect([resources.capacity(), resources.healthy('e/d')]).toEqual([{ 'e/d': '0' }, []]);
    const one = endpoint();
    void resources.add('e/d', one);
    one.tell({ a: 'Healthy' });
    expect([resources.capacity(), timers]).toEqual([{ 'e/d': '1' }, []]);
  });
});
