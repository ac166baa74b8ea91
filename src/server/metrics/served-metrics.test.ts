import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../base/clock.ts';
import { queueMetrics } from '../../base/metrics/queue-metrics.ts';
import { MetricRegistry } from '../../base/metrics/registry.ts';
import type { ApiRequest, Transport } from '../../machinery/transport.ts';
import type { ApiServer } from '../api-server.ts';
import { createTestApiServer } from '../test-api-server.ts';
import { auditMetrics } from './audit-metrics.ts';
import { tokenCacheMetrics } from './token-cache-metrics.ts';

/** What a kube-apiserver serves and this one does not, and why. */
const absent: readonly (readonly [names: RegExp, reason: string])[] = [
  [/^go_/, 'there is no Go runtime'],
  [/^(grpc_client_|etcd_lease_)/, 'there is no etcd, and so no connection to it and no leases in it'],
  [/^etcd_bookmark_total$/, 'the one watch of the store needs no reminders of how far it is'],
  [/^apiserver_storage_(data_key|envelope)_|^apiserver_envelope_/, 'nothing is encrypted at rest'],
  [/^apiserver_storage_consistency_checks_total$/, 'the caches are not compared with the store'],
  [/^apiserver_validation_/, 'there is one validation of a field, not two to compare'],
  [/^aggregator_discovery_(peer|nopeer)_/, 'there are no other servers of the same cluster'],
  [/_x509_(insecure_sha1|missing_san)_total$/, 'Node.js decides which certificates are good'],
  [/^apiserver_audit_requests_rejected_total$/, 'no request is refused because of the audit log'],
  [/^apiserver_nodeport_repair_/, 'there is no loop that repairs node ports'],
  [/^watch_cache_capacity_(de|in)crease_total$/, 'the room for past changes stays as it is'],
  [/^(hidden|disabled)_metrics_total$|^cardinality_enforcement_/, 'no metric can be hidden or limited'],
  [/^rest_client_(exec_plugin|transport)_/, 'there are no such plug-ins and transports'],
  [/^pod_security_exemptions_total$/, 'nobody is exempt'],
  [/^node_authorizer_graph_/, 'relations of nodes are looked up; there is no graph'],
  [
    /^apiserver_flowcontrol_(current_r|dispatch_r|latest_s|next_s_bounds|next_discounted_s_bounds)$/,
    'the queues are served by another reckoning',
  ],
];

/** Labels that the recorded server's build has beside upstream's. */
const foreignLabels = new Set(['ocp_namespace']);

interface Recorded {
  readonly type: string;
  readonly labels: readonly string[];
}

const file = join(process.env['KANOE_SPEC'] ?? 'KANOE_SPEC', 'live/metrics.json');
const recorded = (): [string, Recorded][] =>
  Object.entries(JSON.parse(readFileSync(file, 'utf8')) as Readonly<Record<string, Recorded>>);

const registry = new MetricRegistry();
let server: ApiServer;
let admin: Transport;

beforeAll(async () => {
  queueMetrics(registry, systemClock);
  auditMetrics(registry);
  tokenCacheMetrics(registry, systemClock);
  server = await createTestApiServer({ metrics: registry });
  admin = server.transport({ name: 'admin', groups: ['system:masters'] });
});

afterAll(() => server.close());

function labelsOf({ labels }: { readonly labels: readonly string[] }): readonly string[] {
  return labels.filter((name) => name !== 'le' && name !== 'quantile' && !foreignLabels.has(name)).toSorted();
}

describe.skipIf(!existsSync(file))('metrics, compared with those of kube-apiserver', () => {
  it('have the types and labels that they have there', () => {
    const there = new Map(recorded());
    const families = registry.families.filter(({ name }) => there.has(name));
    const shape = (name: string, type: string, labels: readonly string[]): string =>
      `${type} ${name}{${labels.join()}}`;
    expect(families.map(({ name, type, labels }) => shape(name, type, labelsOf({ labels })))).toEqual(
      families.map(({ name }) => {
        const { type = '', labels = [] } = there.get(name) ?? {};
        return shape(name, type, labelsOf({ labels }));
      }),
    );
  });

  it('are all there but for those that have a reason not to be', () => {
    const served = new Set(registry.families.map(({ name }) => name));
    const missing = recorded().flatMap(([name]) => (served.has(name) ? [] : [name]));
    expect(missing.filter((name) => !absent.some(([names]) => names.test(name)))).toEqual([]);
    const used = ([names]: readonly [RegExp, string]): boolean => missing.some((name) => names.test(name));
    expect(absent.filter((entry) => !used(entry))).toEqual([]);
  });
});

const things = { group: '', version: 'v1', resource: 'configmaps', namespace: 'default' } as const;

async function metricsAfter(requests: readonly ApiRequest[]): Promise<string> {
  for (const request of requests) await admin.request(request);
  return String(await admin.raw('/metrics'));
}

it.each([
  ['apiserver_storage_list_total{group="",resource="namespaces"} 1'],
  ['watch_cache_capacity{group="",resource="configmaps"} 16384'],
  ['apiserver_watch_cache_read_wait_seconds_count{group="",resource="configmaps"} '],
  [
    'apiserver_watch_cache_consistent_read_total{group="",resource="configmaps",success="true",fallback="false"} ',
  ],
  [
    'apiserver_admission_step_admission_duration_seconds_summary{type="admit",operation="CREATE",rejected="false",quantile="0.5"} ',
  ],
  ['apiserver_request_timestamp_comparison_time_count{code_path="unequalObjectsFast"} '],
  ['version_info{binary="1.36",component="kube",emulation="1.36",min_compat="1.36"} 1'],
  ['kubernetes_feature_enabled{name="ContainerStopSignals",stage="ALPHA"} 0'],
  ['registered_metrics_total{stability_level="STABLE",deprecated_version=""} '],
  ['aggregator_unavailable_apiservice{name="v1."} 0'],
])('says %s', async (series) => {
  const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { generateName: 'm-' }, data: { a: 'b' } };
  const made = (await admin.request({ ...things, verb: 'create', body })) as {
    readonly metadata: { readonly name: string };
  };
  const { name } = made.metadata;
  const text = await metricsAfter([
    { ...things, verb: 'update', name, body: { ...made, data: { longer: 'than before' } } },
    { ...things, verb: 'list' },
  ]);
  expect(text).toContain(`\n${series}`);
});

it('writes every line with the labels that its metric has', async () => {
  const text = await metricsAfter([{ ...things, verb: 'list' }]);
  const families = new Map(registry.families.map((family) => [family.name, family]));
  let family: (typeof registry.families)[number] | undefined;
  const odd = text.split('\n').filter((line) => {
    if (line.startsWith('# TYPE ')) family = families.get(line.split(' ')[2] ?? '');
    if (line.startsWith('#') || line === '') return false;
    const names = [...line.matchAll(/(\w+)="(?:[^"\\]|\\.)*"/g)].map(([, name = '']) => name);
    return labelsOf({ labels: names }).join() !== labelsOf(family ?? { labels: ['unknown'] }).join();
  });
  expect(odd).toEqual([]);
});
