import type { Clock } from '../../base/clock.ts';
import type { Client } from '../../client/client.ts';
import type { RestMapper } from '../../client/discovery.ts';
import { templateFunction } from '../../machinery/go-template/template-function.ts';
import { sprigFunctions } from '../../machinery/go-template/sprig/sprig-functions.ts';
import type { KubeObject, Live } from '../../machinery/object.ts';
import { isStatus } from '../../machinery/status-error.ts';
import { SCALE_LABEL } from '../../node/simulated/kwok/stage.ts';
import { kwokFunctions } from '../../node/simulated/stages/stage-functions.ts';
import { createStageRenderer } from '../../node/simulated/stages/stage-renderer.ts';
import { ClusterError } from '../cluster-error.ts';
import type { ResourceTemplate } from './resource-template.ts';
import { shiftAddress, shiftNetwork } from './shift-address.ts';

export interface ScaleOptions {
  readonly template: ResourceTemplate;
  /** Already with what the person changed. */
  readonly parameters: unknown;
  /** What the objects' names begin with. */
  readonly name: string;
  readonly namespace: string | undefined;
  readonly replicas: number;
  /** Digits of the number in the names; 0 for one object without a number. */
  readonly serialLength: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

export interface Scaled {
  readonly resource: string;
  readonly created: number;
  readonly deleted: number;
}

const CONCURRENCY = 32;

/** Makes as many objects of a template as are missing, or deletes the newest that are too many. */
export async function scaleResource(
  client: Client,
  mapper: RestMapper,
  options: ScaleOptions,
): Promise<Scaled> {
  const { name, replicas, signal, serialLength } = options;
  if (serialLength === 0 && replicas > 1)
    throw new ClusterError('INVALID_OPTION', 'more than one replica needs a --serial-length of at least 1');
  const render = rendererOf(options);
  const first = render(name, 0);
  const served = mapper.byKind(first.apiVersion, first.kind);
  if (!served)
    throw new ClusterError('INVALID_OPTION', `the server has no ${first.kind} of ${first.apiVersion}`);
  const namespace = served.type.namespaced ? (options.namespace ?? first.metadata.namespace) : undefined;
  const resource = client.for<KubeObject>(served.type);
  const place = namespace === undefined ? {} : { namespace };
  const held = await allOf((next) =>
    resource.list({
      ...place,
      labelSelector: `${SCALE_LABEL}=${name}`,
      limit: 500,
      ...(next !== undefined && { continue: next }),
      signal,
    }),
  );
  const surplus = [...held].sort(byAge).slice(replicas);
  await inParallel(surplus, signal, async ({ metadata }) => {
    await resource.delete({ ...place, name: metadata.name }).catch((error: unknown) => {
      if (!isStatus(error, 'NotFound')) throw error;
    });
  });
  const taken = new Set(held.map(({ metadata }) => metadata.name));
  const missing = Math.max(0, replicas - held.length);
  const numbers: number[] = [];
  for (let number = 0; numbers.length < missing; number++)
    if (!taken.has(nameOf(options, number))) numbers.push(number);
  await inParallel(numbers, signal, async (number) => {
    const object = render(nameOf(options, number), number);
    await resource.create({
      ...object,
      metadata: {
        ...object.metadata,
        ...place,
        name: nameOf(options, number),
        labels: { ...object.metadata.labels, [SCALE_LABEL]: name },
      },
    });
  });
  return { resource: served.type.resource, created: missing, deleted: surplus.length };
}

function nameOf({ name, serialLength }: ScaleOptions, number: number): string {
  return serialLength === 0 ? name : `${name}-${String(number).padStart(serialLength, '0')}`;
}

function rendererOf({
  template,
  parameters,
  namespace,
  clock,
}: ScaleOptions): (name: string, index: number) => KubeObject {
  let current = { name: '', index: 0 };
  const renderer = createStageRenderer({
    ...sprigFunctions(clock),
    ...kwokFunctions,
    Name: templateFunction([], () => current.name),
    Namespace: templateFunction([], () => namespace ?? ''),
    Index: templateFunction([], () => BigInt(current.index)),
    AddCIDR: templateFunction(['string', 'int'], (cidr: string, by: bigint) =>
      shiftNetwork(cidr, Number(by)),
    ),
    AddIP: templateFunction(['string', 'int'], (ip: string, by: bigint) => shiftAddress(ip, Number(by))),
  });
  return (name, index) => {
    current = { name, index };
    const object = renderer.toJson(template.template, parameters) as Partial<KubeObject> | null;
    if (!object?.apiVersion || !object.kind || !object.metadata)
      throw new ClusterError(
        'INVALID_OPTION',
        `the template of ${template.name} yields no object with apiVersion, kind and metadata`,
      );
    return { ...object, apiVersion: object.apiVersion, kind: object.kind, metadata: object.metadata };
  };
}

function byAge(a: Live<KubeObject>, b: Live<KubeObject>): number {
  const { creationTimestamp: left, name } = a.metadata;
  const { creationTimestamp: right } = b.metadata;
  if (left !== right) return left < right ? -1 : 1;
  return name < b.metadata.name ? -1 : 1;
}

async function allOf(
  page: (next: string | undefined) => Promise<{
    readonly items: readonly Live<KubeObject>[];
    readonly metadata: { readonly continue?: string };
  }>,
): Promise<Live<KubeObject>[]> {
  const items: Live<KubeObject>[] = [];
  let next: string | undefined;
  do {
    const list = await page(next);
    items.push(...list.items);
    next = list.metadata.continue;
  } while (next);
  return items;
}

async function inParallel<T>(
  items: readonly T[],
  signal: AbortSignal,
  work: (item: T) => Promise<void>,
): Promise<void> {
  let at = 0;
  const worker = async (): Promise<void> => {
    while (at < items.length) {
      signal.throwIfAborted();
      const item = items[at++];
      if (item !== undefined) await work(item);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
}
