import { podLimits, podRequests } from '../../api/core/pod-spec/pod-totals.ts';
import type { ResourceList } from '../../api/core/pod-spec/quantities.ts';
import { limitranges } from '../../api/core/v1.gen.ts';
import type {
  Container,
  LimitRange,
  LimitRangeItem,
  PersistentVolumeClaim,
  Pod,
} from '../../api/core/v1.gen.ts';
import type { DeepMutable, KubeObject } from '../../machinery/object.ts';
import { compareQuantities, formatQuantity, parseQuantity } from '../../machinery/quantity.ts';
import { aggregate } from '../../machinery/status/errors.ts';
import type { AdmissionPlugin, AdmissionRequest } from './admission-chain.ts';
import type { Lookup } from './lookup.ts';
import { newRefusal } from './refuse.ts';

const annotation = 'kubernetes.io/limit-ranger';

interface Usage {
  readonly type: string;
  readonly requests: ResourceList;
  readonly limits: ResourceList;
}

function text(amount: string): string {
  return formatQuantity(parseQuantity(amount));
}

function exceeds(a: string, b: string): boolean {
  return compareQuantities(parseQuantity(a), parseQuantity(b)) > 0;
}

function sortedEntries(list: ResourceList | undefined): [string, string][] {
  return Object.entries(list ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
}

function tooLittle(name: string, min: string, { type, requests, limits }: Usage): string | undefined {
  const rule = `minimum ${name} usage per ${type} is ${text(min)}`;
  const request = requests[name];
  const limit = limits[name];
  if (request === undefined) return `${rule}.  No request is specified`;
  if (exceeds(min, request)) return `${rule}, but request is ${text(request)}`;
  if (limit !== undefined && exceeds(min, limit)) return `${rule}, but limit is ${text(limit)}`;
  return undefined;
}

function tooMuch(name: string, max: string, { type, requests, limits }: Usage): string | undefined {
  const rule = `maximum ${name} usage per ${type} is ${text(max)}`;
  const request = requests[name];
  const limit = limits[name];
  if (limit === undefined) return `${rule}.  No limit is specified`;
  if (exceeds(limit, max)) return `${rule}, but limit is ${text(limit)}`;
  if (request !== undefined && exceeds(request, max)) return `${rule}, but request is ${text(request)}`;
  return undefined;
}

function tooSpread(name: string, ratio: string, { type, requests, limits }: Usage): string | undefined {
  const rule = `${name} max limit to request ratio per ${type} is ${text(ratio)}`;
  const request = parseQuantity(requests[name] ?? '0').nanos;
  const limit = parseQuantity(limits[name] ?? '0').nanos;
  if (request === 0n) return `${rule}, but no request is specified or request is 0`;
  if (limit === 0n) return `${rule}, but no limit is specified or limit is 0`;
  const actual = Number(limit) / Number(request);
  if (actual <= Number(parseQuantity(ratio).nanos) / 1e9) return undefined;
  return `${rule}, but provided ratio is ${actual.toFixed(6)}`;
}

function problems(item: LimitRangeItem, usage: Usage): string[] {
  return [
    ...sortedEntries(item.min).map(([name, min]) => tooLittle(name, min, usage)),
    ...sortedEntries(item.max).map(([name, max]) => tooMuch(name, max, usage)),
    ...sortedEntries(item.maxLimitRequestRatio).map(([name, ratio]) => tooSpread(name, ratio, usage)),
  ].filter((problem) => problem !== undefined);
}

function podProblems({ spec }: Pod, item: LimitRangeItem): string[] {
  if (item.type === 'Pod')
    return problems(item, { type: item.type, requests: podRequests(spec), limits: podLimits(spec) });
  if (item.type !== 'Container') return [];
  return [...spec.containers, ...(spec.initContainers ?? [])].flatMap(({ resources }) =>
    problems(item, {
      type: item.type,
      requests: resources?.requests ?? {},
      limits: resources?.limits ?? {},
    }),
  );
}

function claimProblems({ spec }: PersistentVolumeClaim, item: LimitRangeItem): string[] {
  const { type } = item;
  if (type !== 'PersistentVolumeClaim') return [];
  const requests = spec?.resources?.requests ?? {};
  const small = sortedEntries(item.min).map(([name, min]) =>
    tooLittle(name, min, { type, requests, limits: {} }),
  );
  const large = sortedEntries(item.max).map(([name, max]) => {
    const rule = `maximum ${name} usage per ${type} is ${text(max)}`;
    const request = requests[name];
    if (request === undefined) return `${rule}.  No request is specified`;
    return exceeds(request, max) ? `${rule}, but request is ${text(request)}` : undefined;
  });
  return [...small, ...large].filter((problem) => problem !== undefined);
}

/** Gives a container what it does not ask for; says what that was. */
function fill(container: DeepMutable<Container>, range: LimitRange, kind: string): string[] {
  const defaults = range.spec.limits.filter(({ type }) => type === 'Container');
  const said: string[] = [];
  const limits: Record<string, string> = {};
  const requests: Record<string, string> = {};
  for (const item of defaults) {
    Object.assign(limits, item.default);
    Object.assign(requests, item.defaultRequest);
  }
  const set = (side: 'requests' | 'limits', values: Record<string, string>): void => {
    const own = container.resources?.[side] ?? {};
    const missing = Object.keys(values)
      .filter((name) => own[name] === undefined)
      .sort();
    if (missing.length === 0) return;
    const added = Object.fromEntries(missing.map((name) => [name, values[name] ?? '0']));
    container.resources = { ...container.resources, [side]: { ...own, ...added } };
    said.push(`${missing.join(', ')} ${side.slice(0, -1)} for ${kind} ${container.name}`);
  };
  set('requests', requests);
  set('limits', limits);
  return said;
}

function fillPod(pod: DeepMutable<Pod>, range: LimitRange): void {
  const said = [
    ...pod.spec.containers.flatMap((container) => fill(container, range, 'container')),
    ...(pod.spec.initContainers ?? []).flatMap((container) => fill(container, range, 'init container')),
  ];
  if (said.length === 0) return;
  const value = `LimitRanger plugin set: ${said.join('; ')}`;
  pod.metadata.annotations = { ...pod.metadata.annotations, [annotation]: value };
}

/** A pod's containers never change but by `resize`, so that other updates of pods are not looked at. */
function concerned(request: AdmissionRequest): 'pods' | 'persistentvolumeclaims' | undefined {
  const { group, resource, subresource, operation, oldObject } = request;
  if (group !== '' || !request.object || oldObject?.metadata.deletionTimestamp !== undefined)
    return undefined;
  if (operation !== 'CREATE' && operation !== 'UPDATE') return undefined;
  if (resource === 'pods') {
    const resize = operation === 'UPDATE' && subresource === 'resize';
    return resize || (operation === 'CREATE' && subresource === '') ? resource : undefined;
  }
  return resource === 'persistentvolumeclaims' && subresource === '' ? resource : undefined;
}

/**
 * Fills in what containers do not ask for from the LimitRanges of their namespace, and refuses pods and claims outside of
 * them (upstream's LimitRanger).
 */
export function limitRanger(lookup: Lookup): AdmissionPlugin {
  return {
    name: 'LimitRanger',
    admit(request) {
      if (concerned(request) !== 'pods' || request.operation !== 'CREATE') return;
      for (const range of lookup.list<LimitRange>(limitranges, request.namespace))
        fillPod(request.object as DeepMutable<Pod>, range);
    },
    validate(request) {
      const resource = concerned(request);
      if (!resource) return;
      const object = request.object as KubeObject;
      for (const range of lookup.list<LimitRange>(limitranges, request.namespace)) {
        const found = (range.spec.limits ?? []).flatMap((item) =>
          resource === 'pods'
            ? podProblems(object as Pod, item)
            : claimProblems(object as PersistentVolumeClaim, item),
        );
        if (found.length > 0) throw newRefusal(request, aggregate(found));
      }
    },
  };
}
