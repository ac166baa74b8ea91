import type { Clock } from '../../../base/clock.ts';
import type { FunctionLibrary } from '../../../machinery/cel/function-table.ts';
import { asText } from '../../../machinery/cel/value-guards.ts';
import type { CelValue } from '../../../machinery/cel/value.ts';
import { parseQuantity, quantityMilliValue } from '../../../machinery/quantity.ts';

/** What expressions of metrics and usages can ask about a simulated cluster. */
export interface UsageWorld {
  readonly clock: Clock;
  readonly random: () => number;
  /** In cores or bytes, of a pod's container, of all its containers, or of a node. */
  usage(of: UsageSubject, resource: string): number;
  /** The same, summed over the seconds since it was first asked for. */
  cumulativeUsage(of: UsageSubject, resource: string): number;
  startedContainers(node: string): number;
}

export interface UsageSubject {
  readonly kind: 'pod' | 'node';
  readonly namespace: string;
  readonly name: string;
  readonly container?: string;
}

/** KWOK's functions of metrics: `Now`, `Rand`, `Quantity`, `SinceSecond`, `UnixSecond`, `Usage`, `CumulativeUsage`, `StartedContainersTotal`. */
export function usageFunctions(world: UsageWorld): FunctionLibrary {
  const { clock } = world;
  const now = (): CelValue => ({ kind: 'timestamp', nanos: BigInt(Math.round(clock.now() * 1e6)) });
  const since = (object: CelValue): CelValue => Math.max(0, (clock.now() - startOf(object)) / 1000);
  const unix = (time: CelValue): CelValue =>
    typeof time === 'object' && time !== null && 'nanos' in time ? Number(time.nanos) / 1e9 : 0;
  const started = (node: CelValue): CelValue => world.startedContainers(textAt(node, 'metadata', 'name'));
  const usage = (of: CelValue, resource: CelValue, container?: CelValue): CelValue =>
    world.usage(subjectOf(of, container), asText(resource));
  const cumulative = (of: CelValue, resource: CelValue, container?: CelValue): CelValue =>
    world.cumulativeUsage(subjectOf(of, container), asText(resource));
  return [
    { id: 'kwok_now', signature: 'Now() -> google.protobuf.Timestamp', run: now },
    { id: 'kwok_now_old', signature: 'now() -> google.protobuf.Timestamp', run: now },
    { id: 'kwok_rand', signature: 'Rand() -> double', run: () => world.random() },
    {
      id: 'kwok_quantity',
      signature: 'Quantity(string) -> double',
      run: (text) => Number(quantityMilliValue(parseQuantity(asText(text)))) / 1000,
    },
    { id: 'kwok_since', signature: 'SinceSecond(dyn) -> double', run: since },
    { id: 'kwok_since_method', signature: '<dyn>.SinceSecond() -> double', run: since },
    { id: 'kwok_unix', signature: 'UnixSecond(google.protobuf.Timestamp) -> double', run: unix },
    { id: 'kwok_unix_method', signature: '<google.protobuf.Timestamp>.UnixSecond() -> double', run: unix },
    { id: 'kwok_started', signature: 'StartedContainersTotal(dyn) -> double', run: started },
    { id: 'kwok_started_method', signature: '<dyn>.StartedContainersTotal() -> double', run: started },
    { id: 'kwok_started_old', signature: 'startedContainersTotal(dyn) -> double', run: started },
    { id: 'kwok_usage', signature: '<dyn>.Usage(string) -> double', run: usage },
    { id: 'kwok_usage_of', signature: '<dyn>.Usage(string, string) -> double', run: usage },
    { id: 'kwok_cumulative', signature: '<dyn>.CumulativeUsage(string) -> double', run: cumulative },
    {
      id: 'kwok_cumulative_of',
      signature: '<dyn>.CumulativeUsage(string, string) -> double',
      run: cumulative,
    },
  ];
}

function at(value: CelValue, path: readonly string[]): CelValue {
  let found: CelValue = value;
  for (const key of path) {
    if (typeof found !== 'object' || found === null || !('kind' in found) || found.kind !== 'map')
      return null;
    found = found.get(key) ?? null;
  }
  return found;
}

function textAt(value: CelValue, ...path: readonly string[]): string {
  const found = at(value, path);
  return typeof found === 'string' ? found : typeof value === 'string' ? value : '';
}

function subjectOf(value: CelValue, container: CelValue | undefined): UsageSubject {
  const isPod = at(value, ['spec', 'containers']) !== null;
  return {
    kind: isPod ? 'pod' : 'node',
    namespace: textAt(value, 'metadata', 'namespace'),
    name: textAt(value, 'metadata', 'name'),
    ...(typeof container === 'string' && { container }),
  };
}

function startOf(object: CelValue): number {
  const time = textAt(object, 'status', 'startTime') || textAt(object, 'metadata', 'creationTimestamp');
  const ms = Date.parse(time);
  return Number.isNaN(ms) ? Infinity : ms;
}
