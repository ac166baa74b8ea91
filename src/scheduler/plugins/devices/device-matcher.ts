import { deviceEnvironment } from '../../../api/resource/device-selector.ts';
import type { DeviceAttribute, DeviceSelector } from '../../../api/resource/v1.gen.ts';
import { compile, type Program } from '../../../machinery/cel/program.ts';
import type { CelMap, CelStruct, CelValue } from '../../../machinery/cel/value.ts';
import { celQuantity } from '../../../machinery/cel/library/quantities.ts';
import { celSemver } from '../../../machinery/cel/library/semver.ts';
import type { PooledDevice } from './device-pools.ts';

/** Answers whether a device meets expressions, which are compiled on first use and remembered. */
export class DeviceMatcher {
  readonly #programs = new Map<string, Program>();
  #environment: ReturnType<typeof deviceEnvironment> | undefined;

  /** Throws, naming `owner` (`class x`, `claim n/x`), when an expression fails. */
  matches(device: PooledDevice, selectors: readonly DeviceSelector[] | undefined, owner: string): boolean {
    for (const [index, { cel }] of (selectors ?? []).entries()) {
      if (!cel)
        throw new Error(`${owner}: selector #${index}: CEL expression empty (unsupported selector type?)`);
      const outcome = this.#program(cel.expression).evaluate(new Map([['device', viewDevice(device)]]));
      if ('error' in outcome) {
        throw new Error(
          `${owner}: selector #${index} on device ${device.id}: CEL runtime error: ${outcome.error}`,
        );
      }
      if (outcome.value !== true) return false;
    }
    return true;
  }

  #program(expression: string): Program {
    let program = this.#programs.get(expression);
    if (!program) {
      this.#environment ??= deviceEnvironment();
      this.#programs.set(expression, (program = compile(expression, this.#environment)));
    }
    return program;
  }
}

/** What an expression sees of a device: its attributes and capacities by domain, the driver's where none is named. */
function viewDevice({ device, pool }: PooledDevice): CelStruct {
  const attributes = byDomain(Object.entries(device.attributes ?? {}), pool.driver, attributeValue);
  const capacity = byDomain(Object.entries(device.capacity ?? {}), pool.driver, ({ value }) =>
    celQuantity(value),
  );
  const fields: Readonly<Record<string, CelValue>> = {
    driver: pool.driver,
    attributes,
    capacity,
    allowMultipleAllocations: device.allowMultipleAllocations ?? false,
  };
  return {
    kind: 'struct',
    typeName: 'kubernetes.DRADevice',
    get: (field) => fields[field],
    fields: () => Object.keys(fields),
  };
}

/** A domain that the device does not have is an empty map, not an error. */
function byDomain<T>(
  entries: readonly (readonly [string, T])[],
  driver: string,
  view: (value: T) => CelValue,
): CelMap {
  const domains = new Map<string, Map<string, T>>();
  for (const [name, value] of entries) {
    const slash = name.indexOf('/');
    const domain = slash < 0 ? driver : name.slice(0, slash);
    let members = domains.get(domain);
    if (!members) domains.set(domain, (members = new Map()));
    members.set(name.slice(slash + 1), value);
  }
  return {
    kind: 'map',
    size: domains.size,
    get: (domain) => viewMembers(domains.get(typeof domain === 'string' ? domain : '') ?? new Map(), view),
    keys: () => [...domains.keys()],
  };
}

function viewMembers<T>(members: ReadonlyMap<string, T>, view: (value: T) => CelValue): CelMap {
  return {
    kind: 'map',
    size: members.size,
    get(name) {
      const member = typeof name === 'string' ? members.get(name) : undefined;
      return member === undefined ? undefined : view(member);
    },
    keys: () => [...members.keys()],
  };
}

function attributeValue({ bool, int, string, version }: DeviceAttribute): CelValue {
  if (bool !== undefined) return bool;
  if (int !== undefined) return BigInt(int);
  if (string !== undefined) return string;
  return version === undefined ? null : celSemver(version);
}
