import type { DeviceAttribute, DeviceConstraint } from '../../../api/resource/v1.gen.ts';
import type { PooledDevice } from './device-pools.ts';

/** What a claim demands of its devices together; told of each device taken and given back. */
export interface Constraint {
  /** False: the device does not go with those taken before, and is not counted. */
  add(request: string, device: PooledDevice): boolean;
  /** Gives back a device that was added. */
  remove(request: string, device: PooledDevice): void;
}

/** `matchAttribute`: all the same value. `distinctAttribute`: each another. Requests that are not named are let pass. */
export function constraintOf({
  matchAttribute,
  distinctAttribute,
  requests = [],
}: DeviceConstraint): Constraint {
  const attribute = matchAttribute ?? distinctAttribute ?? '';
  const values = new Map<string, number>();
  const concerns = (request: string): boolean => {
    const slash = request.indexOf('/');
    return (
      requests.length === 0 ||
      requests.includes(request) ||
      (slash >= 0 && requests.includes(request.slice(0, slash)))
    );
  };
  const fits = (value: string): boolean =>
    matchAttribute === undefined ? !values.has(value) : values.size === 0 || values.has(value);
  return {
    add(request, device) {
      if (!concerns(request)) return true;
      const value = valueOf(device, attribute);
      if (value === undefined || !fits(value)) return false;
      values.set(value, (values.get(value) ?? 0) + 1);
      return true;
    },
    remove(request, device) {
      const value = concerns(request) ? valueOf(device, attribute) : undefined;
      if (value === undefined) return;
      const count = (values.get(value) ?? 0) - 1;
      if (count > 0) values.set(value, count);
      else values.delete(value);
    },
  };
}

/** The value with its type, as text; a name without its domain is looked for when that is the driver's. */
function valueOf({ device, pool }: PooledDevice, name: string): string | undefined {
  const { attributes = {} } = device;
  const prefix = `${pool.driver}/`;
  const attribute: DeviceAttribute | undefined =
    attributes[name] ?? (name.startsWith(prefix) ? attributes[name.slice(prefix.length)] : undefined);
  if (!attribute) return undefined;
  const { bool, int, string, version } = attribute;
  if (string !== undefined) return `string ${string}`;
  if (int !== undefined) return `int ${int}`;
  if (bool !== undefined) return `bool ${bool}`;
  return version === undefined ? undefined : `version ${version}`;
}
