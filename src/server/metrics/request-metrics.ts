import type { Clock } from '../../base/clock.ts';
import type { Value } from '../../base/metrics/counter.ts';
import { exponentialBuckets, type Distribution } from '../../base/metrics/histogram.ts';
import type { MetricRegistry } from '../../base/metrics/registry.ts';
import type { RequestObserver, RequestRecord } from '../http/request-record.ts';

const latencyBuckets = [
  0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60,
];
const sliBuckets = latencyBuckets.slice(2);
const resourceLabels = ['verb', 'group', 'version', 'resource', 'subresource', 'scope', 'component'];
const systemClients = new Map([
  ['system:kube-controller-manager', 'kube-controller-manager'],
  ['system:kube-scheduler', 'kube-scheduler'],
]);

/** The series of one sort of request, found once. */
interface Series {
  readonly duration: Distribution;
  readonly sli: Distribution;
  readonly size: Distribution | undefined;
  readonly codes: Map<string, Value>;
}

/** Counts requests, how long they take and what they answer, under upstream's names. */
export function requestMetrics(registry: MetricRegistry, clock: Clock): RequestObserver {
  const total = registry.counter({
    name: 'apiserver_request_total',
    help: '[STABLE] Requests by what they ask for and how they were answered.',
    labels: [
      'verb',
      'dry_run',
      'group',
      'version',
      'resource',
      'subresource',
      'scope',
      'component',
      'code',
      'system_client',
    ],
  });
  const durations = registry.histogram({
    name: 'apiserver_request_duration_seconds',
    help: '[STABLE] How long requests take, in seconds.',
    labels: ['verb', 'dry_run', ...resourceLabels.slice(1)],
    buckets: latencyBuckets,
  });
  const slis = registry.histogram({
    name: 'apiserver_request_sli_duration_seconds',
    help: '[STABLE] How long requests take without webhooks and queues, in seconds.',
    labels: resourceLabels,
    buckets: sliBuckets,
  });
  const sizes = registry.histogram({
    name: 'apiserver_response_sizes',
    help: '[STABLE] Sizes of answers, in bytes.',
    labels: resourceLabels,
    buckets: exponentialBuckets(1000, 10, 7),
  });
  const bodies = registry.histogram({
    name: 'apiserver_request_body_size_bytes',
    help: '[ALPHA] Sizes of bodies, in bytes.',
    labels: ['group', 'resource', 'verb'],
    buckets: Array.from({ length: 31 }, (_, at) => 50_000 + at * 100_000),
  });
  const validations = registry.histogram({
    name: 'field_validation_request_duration_seconds',
    help: '[ALPHA] How long requests take, by what they want done about fields that are not known, in seconds.',
    labels: ['field_validation'],
    buckets: [0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60],
  });
  const longRunning = registry.gauge({
    name: 'apiserver_longrunning_requests',
    help: '[STABLE] Watches and connections that are open.',
    labels: resourceLabels,
  });
  const inflight = registry.gauge({
    name: 'apiserver_current_inflight_requests',
    help: '[STABLE] The most requests that were served at once in the last second.',
    labels: ['request_kind'],
  });
  const aborted = registry.counter({
    name: 'apiserver_request_aborts_total',
    help: '[ALPHA] Requests that ended because their connection did.',
    labels: ['verb', 'group', 'version', 'resource', 'subresource', 'scope'],
  });
  const deprecated = registry.gauge({
    name: 'apiserver_requested_deprecated_apis',
    help: '[STABLE] Deprecated versions that were asked for.',
    labels: ['group', 'version', 'resource', 'subresource', 'removed_release'],
  });
  const current = { mutating: inflight.labels('mutating'), readOnly: inflight.labels('readOnly') };
  const series = new Map<string, Series>();

  return {
    received(record) {
      kindOf(record).add(1);
    },
    started(record) {
      if (record.phase === 'received') kindOf(record).add(-1);
      longRunning.labels(...targetOf(record), 'apiserver').add(1);
    },
    completed(record) {
      if (record.phase === 'received') kindOf(record).add(-1);
      const target = targetOf(record);
      if (record.phase === 'started') longRunning.labels(...target, 'apiserver').add(-1);
      if (!record.info?.isResource && target[4] === '') return;
      if (!record.response) {
        aborted.labels(...target).add();
        return;
      }
      const { code, size } = record.response;
      const dryRun = record.params?.['dryRun'] ?? '';
      const found = seriesOf(target, dryRun);
      const client = systemClients.get(record.requester?.name ?? '') ?? '';
      const key = `${code} ${client}`;
      let counter = found.codes.get(key);
      if (!counter) {
        const [verb, ...rest] = target;
        counter = total.labels(verb, dryRun, ...rest, 'apiserver', String(code), client);
        found.codes.set(key, counter);
      }
      counter.add();
      if (record.deprecation) {
        const [, group, version, resource, subresource] = target;
        deprecated.labels(group, version, resource, subresource, record.deprecation.removedRelease).set(1);
      }
      if (record.isLongRunning) return;
      const seconds = (clock.monotonic() - record.startedAt) / 1000;
      found.duration.observe(seconds);
      validation(record.params?.['fieldValidation']).observe(seconds);
      if (record.requestSize !== undefined) {
        const [, group, , resource] = target;
        bodies.labels(group, resource, record.info?.verb ?? '').observe(record.requestSize);
      }
      found.sli.observe(seconds);
      found.size?.observe(size);
    },
  };

  function validation(asked: string = ''): Distribution {
    return validations.labels(['', 'Ignore', 'Warn', 'Strict'].includes(asked) ? asked : 'invalid');
  }

  function kindOf({ info }: RequestRecord): Value {
    const reads = !info || ['get', 'list', 'watch', 'head', 'options'].includes(info.verb);
    return reads ? current.readOnly : current.mutating;
  }

  function seriesOf(target: readonly string[], dryRun: string): Series {
    const key = `${target.join('/')} ${dryRun}`;
    let found = series.get(key);
    if (!found) {
      const [verb = '', ...rest] = target;
      found = {
        duration: durations.labels(verb, dryRun, ...rest, 'apiserver'),
        sli: slis.labels(...target, 'apiserver'),
        size: verb === 'GET' || verb === 'LIST' ? sizes.labels(...target, 'apiserver') : undefined,
        codes: new Map(),
      };
      series.set(key, found);
    }
    return found;
  }
}

const reportedVerbs: Readonly<Record<string, string>> = { create: 'POST', update: 'PUT' };

/** verb, group, version, resource, subresource, scope. What is not served counts as one thing. */
function targetOf(record: RequestRecord): readonly [string, string, string, string, string, string] {
  const { info } = record;
  if (!info?.isResource) {
    const path = /^\/(healthz|livez|readyz|metrics)\b/.exec(info?.path ?? '')?.[0] ?? '';
    return [(info?.verb ?? '').toUpperCase(), '', '', '', path, ''];
  }
  if (record.namespaced === undefined) return [info.verb.toUpperCase(), '', '', '', '', ''];
  const { group, version, resource, subresource = '', name, namespace } = info;
  const connects = record.isLongRunning && info.verb !== 'watch';
  const verb = connects
    ? 'CONNECT'
    : record.isApply
      ? 'APPLY'
      : (reportedVerbs[info.verb] ?? info.verb.toUpperCase());
  const collection = name === undefined && info.verb !== 'create';
  const scope =
    !collection || subresource !== '' ? 'resource' : namespace !== undefined ? 'namespace' : 'cluster';
  return [verb, group, version, resource, subresource, scope];
}
