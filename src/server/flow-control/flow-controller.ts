import {
  flowschemas,
  prioritylevelconfigurations,
  type FlowSchema,
  type PriorityLevelConfiguration,
  type PriorityLevelConfigurationSpec,
} from '../../api/flowcontrol/v1.gen.ts';
import type { UserInfo } from '../../api/resource.ts';
import type { Clock } from '../../base/clock.ts';
import type { KubeObject, Live, ResourceType } from '../../machinery/object.ts';
import type { RequestInfo } from '../http/request-info.ts';
import type { ResourceTable } from '../registry/served-resource.ts';
import { allocateSeats } from './concurrency-allocation.ts';
import { matchesFlowSchema } from './match-flow-schema.ts';
import { smoothed } from './demand-statistics.ts';
import {
  observedEntry,
  type FlowObserver,
  type FlowReading,
  type LevelAdjustment,
  type LevelReading,
  type SchemaObserver,
} from './observe-flow.ts';
import { PriorityLevel, type Seats } from './priority-level.ts';
import { estimateWork, type ResourceSize } from './work-estimate.ts';

/** A request that asks to be served. */
export interface FlowRequest {
  readonly user: UserInfo;
  readonly info: RequestInfo;
  readonly query: URLSearchParams;
}

/** Where a request belongs, before it has seats. */
export interface Classified {
  readonly flowSchemaUid: string;
  readonly priorityLevelUid: string;
  /** Seats at once, or when there are some. Throws, or rejects, when it is to be refused with 429. */
  enter(signal?: () => AbortSignal): Seats | Promise<Seats>;
}

/** API priority and fairness: how much of what is asked for at once is served at once. */
export interface FlowController {
  /** Undefined when flow schemas are not served. */
  classify(request: FlowRequest): Classified | undefined;
  /** The seats of all levels. */
  read(): FlowReading;
}

export interface FlowControllerOptions {
  readonly clock: Clock;
  readonly table: () => ResourceTable;
  /** Seats that all limited levels share. Default 600, as upstream's two in-flight limits together. */
  readonly concurrency?: number;
  /** Asked once, when the first request comes. */
  readonly observer?: (read: () => FlowReading) => FlowObserver;
}

/** Seats of all levels together, as upstream's two in-flight limits. */
export const defaultConcurrency = 600;
const adjustMs = 10_000;
const readVerbs: ReadonlySet<string> = new Set(['get', 'list', 'watch', 'head', 'options']);

interface Bounds {
  readonly nominal: number;
  readonly lower: number;
  readonly upper: number;
}

function sharesOf({ type, limited, exempt }: PriorityLevelConfigurationSpec): number {
  return (type === 'Exempt' ? exempt?.nominalConcurrencyShares : limited?.nominalConcurrencyShares) ?? 0;
}

/** Creates the limiter; it reads its configuration from the caches, whenever that has changed. */
export function createFlowController(options: FlowControllerOptions): FlowController {
  const { clock, table, concurrency = defaultConcurrency } = options;
  const levels = new Map<string, PriorityLevel>();
  let schemas: readonly Live<FlowSchema>[] = [];
  let seen: readonly unknown[] = [];
  const adjustments = new Map<string, LevelAdjustment>();
  let fairFraction = 0;
  let adjustedAt = clock.monotonic();

  function objects<T extends KubeObject>(resource: ResourceType<T>): Live<T>[] {
    const cache = table().stored(resource.group, resource.resource)?.cache;
    if (!cache) return [];
    return [...cache.current().range(cache.prefix)].map((entry) => cache.object(entry) as Live<T>);
  }

  function boundsOf(spec: PriorityLevelConfigurationSpec, allShares: number): Bounds {
    const nominal = Math.ceil((concurrency * sharesOf(spec)) / Math.max(1, allShares));
    const lendable = Math.round((nominal * (spec.limited?.lendablePercent ?? 0)) / 100);
    const borrowing = spec.limited?.borrowingLimitPercent;
    const upper = borrowing === undefined ? concurrency : nominal + Math.round((nominal * borrowing) / 100);
    return { nominal, lower: nominal - lendable, upper: Math.max(nominal, upper) };
  }

  function readings(): FlowReading {
    return { levels: levelReadings(), fairFraction };
  }

  function levelReadings(): LevelReading[] {
    refresh();
    const all = [...levels.values()];
    const shares = all.reduce((sum, { spec }) => sum + sharesOf(spec), 0);
    return all.map((level) => {
      const { nominal, lower, upper } = boundsOf(level.spec, shares);
      const current = level.spec.type === 'Exempt' ? nominal : level.limit;
      const adjusted = adjustments.get(level.name);
      const reading = { name: level.name, nominal, lower, upper, current, demand: level.peak };
      return adjusted ? { ...reading, adjusted } : reading;
    });
  }

  const observer = options.observer?.(readings);
  const observers = new Map<string, SchemaObserver>();
  function observerOf(schema: string, level: string): SchemaObserver | undefined {
    const key = `${schema}/${level}`;
    let found = observers.get(key);
    if (!found && observer) observers.set(key, (found = observer.schema(schema, level)));
    return found;
  }

  function limited(): { readonly level: PriorityLevel; readonly bounds: Bounds }[] {
    const all = [...levels.values()];
    const shares = all.reduce((sum, { spec }) => sum + sharesOf(spec), 0);
    return all
      .filter(({ spec }) => spec.type === 'Limited')
      .map((level) => ({ level, bounds: boundsOf(level.spec, shares) }));
  }

  function configure(): void {
    const configured = objects<PriorityLevelConfiguration>(prioritylevelconfigurations);
    const names = new Set(configured.map(({ metadata }) => metadata.name));
    for (const name of levels.keys()) {
      if (names.has(name)) continue;
      levels.delete(name);
      adjustments.delete(name);
    }
    for (const { metadata, spec } of configured) {
      const known = levels.get(metadata.name);
      if (known) known.configure({ spec, uid: metadata.uid });
      else {
        const heard = observer?.level(metadata.name);
        levels.set(
          metadata.name,
          new PriorityLevel(metadata.name, { clock, spec, uid: metadata.uid, observer: heard }),
        );
      }
    }
    schemas = objects<FlowSchema>(flowschemas).sort(
      (a, b) =>
        a.spec.matchingPrecedence - b.spec.matchingPrecedence || (a.metadata.name < b.metadata.name ? -1 : 1),
    );
    for (const { level, bounds } of limited()) level.resize(bounds.nominal);
  }

  /** Lends seats that were not needed lately to those that needed more (upstream's borrowing, every ten seconds). */
  function adjust(): void {
    const all = limited();
    const claims = all.map(({ level, bounds: { lower, upper } }) => ({
      lower,
      upper,
      target: Math.max(lower, 0.1, Math.min(upper, level.takePeak())),
    }));
    const { seats, fraction } = allocateSeats(concurrency, claims);
    for (const [index, { level }] of all.entries()) level.resize(seats[index] ?? 0);
    fairFraction = fraction;
    const targets = new Map(all.map(({ level }, index) => [level.name, claims[index]?.target]));
    for (const level of levels.values()) {
      const statistics = level.takeDemand();
      const target = targets.get(level.name);
      adjustments.set(level.name, {
        ...statistics,
        smoothed: smoothed(adjustments.get(level.name)?.smoothed ?? 0, statistics),
        ...(target !== undefined && { target }),
      });
    }
  }

  function refresh(): boolean {
    const schemaCache = table().stored(flowschemas.group, flowschemas.resource)?.cache;
    const levelCache = table().stored(
      prioritylevelconfigurations.group,
      prioritylevelconfigurations.resource,
    )?.cache;
    if (!schemaCache || !levelCache) return false;
    const current = [schemaCache.current(), levelCache.current()];
    if (current[0] !== seen[0] || current[1] !== seen[1]) {
      seen = current;
      configure();
    }
    const now = clock.monotonic();
    if (now - adjustedAt >= adjustMs) {
      adjustedAt = now;
      adjust();
    }
    return true;
  }

  function sizeOf(info: RequestInfo): ResourceSize | undefined {
    if (!info.isResource) return undefined;
    const cache = table().get(info.group, info.version, info.resource)?.resource.cache;
    return cache && { objects: cache.size, watchers: cache.watchers };
  }

  return {
    classify(request) {
      if (!refresh()) return undefined;
      const { user, info, query } = request;
      for (const schema of schemas) {
        if (!matchesFlowSchema(schema, request)) continue;
        const { spec, metadata } = schema;
        const level = levels.get(spec.priorityLevelConfiguration.name);
        if (!level) continue;
        return {
          flowSchemaUid: metadata.uid,
          priorityLevelUid: level.uid,
          enter(signal) {
            const method = spec.distinguisherMethod?.type;
            const namespace = info.isResource ? (info.namespace ?? '') : '';
            const distinguisher = method === 'ByUser' ? user.name : method === 'ByNamespace' ? namespace : '';
            const work =
              level.spec.type === 'Exempt' ? { seats: 1 } : estimateWork(info, query, sizeOf(info));
            const enter = (): Seats | Promise<Seats> =>
              level.enter({ schema: metadata.name, distinguisher }, work, signal);
            const heard = observerOf(metadata.name, level.name);
            if (!heard || !observer) return enter();
            const kind = readVerbs.has(info.verb) ? 'readOnly' : 'mutating';
            if (kind === 'mutating') heard.watched(sizeOf(info)?.watchers ?? 0);
            const type = info.verb === 'watch' ? 'watch' : 'regular';
            const waiting = (): number => level.waiting;
            return observedEntry(enter, {
              clock,
              observer: heard,
              seats: work.seats,
              type,
              kind: observer.kinds[kind],
              waiting,
            });
          },
        };
      }
      return undefined;
    },
    read: readings,
  };
}
