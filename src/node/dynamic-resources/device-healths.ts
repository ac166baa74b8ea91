import type { Clock } from '../../base/clock.ts';
import { connectPlugin } from '../plugins/plugin-connection.ts';
import { draHealthService, type DraDevice, type DraHealthCalls } from './dra-protocol.ts';

export type DeviceHealth = 'Healthy' | 'Unhealthy' | 'Unknown';

/** What drivers tell of the health of their devices. */
export interface DeviceHealths {
  /** Listens to a driver, again five seconds after it has stopped to tell, unless it never does. */
  follow(driver: string, socket: string): Promise<{ close(): void }>;
  of(driver: string, device: DraDevice): DeviceHealth;
  close(): void;
}

interface Told {
  readonly health: DeviceHealth;
  /** Until when it holds, in milliseconds since the epoch. */
  readonly until: number;
}

type Reported = DraHealthCalls['NodeWatchResources'][1]['devices'];

const RETRY_MS = 5000;
const DEFAULT_TIMEOUT_S = 30;

/** Remembers what drivers tell; `onChange` is called when a device has become better or worse. */
export function createDeviceHealths(clock: Clock, onChange: () => void): DeviceHealths {
  const told = new Map<string, Map<string, Told>>();
  const followed = new Set<{ close(): void }>();

  function take(driver: string, devices: Reported): void {
    const known = told.get(driver) ?? new Map<string, Told>();
    told.set(driver, known);
    let changed = false;
    for (const { device, health: number, health_check_timeout_seconds: seconds } of devices) {
      const key = `${device?.pool_name}/${device?.device_name}`;
      const health = number === 1 ? 'Healthy' : number === 2 ? 'Unhealthy' : 'Unknown';
      changed ||= known.get(key)?.health !== health;
      const timeoutMs = (seconds > 0 ? seconds : DEFAULT_TIMEOUT_S) * 1000;
      known.set(key, { health, until: clock.now() + timeoutMs });
    }
    if (changed) onChange();
  }

  return {
    async follow(driver, socket) {
      const connection = await connectPlugin<DraHealthCalls>({ socket, service: draHealthService, clock });
      let cancel = (): void => undefined;
      const listen = (): void => {
        const stream = connection.watch(
          'NodeWatchResources',
          {},
          {
            onMessage: ({ devices }) => take(driver, devices),
            onEnd(why) {
              if (told.delete(driver)) onChange();
              if (why === 'unimplemented') return;
              const timer = clock.after(RETRY_MS, listen);
              cancel = () => timer.cancel();
            },
          },
        );
        cancel = () => stream.close();
      };
      const one = {
        close() {
          followed.delete(one);
          cancel();
          connection.close();
          if (told.delete(driver)) onChange();
        },
      };
      followed.add(one);
      listen();
      return one;
    },
    of(driver, { pool_name: pool, device_name: device }) {
      const last = told.get(driver)?.get(`${pool}/${device}`);
      return last && last.until >= clock.now() ? last.health : 'Unknown';
    },
    close() {
      for (const one of followed) one.close();
    },
  };
}
