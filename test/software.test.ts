import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeDebianImage } from './support/debian-image.ts';
import { eventually } from './support/eventually.ts';
import { projectRoot, startKanoe, type Workplace } from './support/kanoe.ts';
import type { Kubectl } from './support/kubectl.ts';
import { describeWith, imageArchive } from './support/needs.ts';
import { must } from './support/run.ts';

let scratch: string;
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'kanoe-software-'));
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** GETs a path of an address under a host name. */
function get(address: string, host: string, path: string): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const call = request(
      { host: address, path, headers: { host }, agent: false, timeout: 5000 },
      (answer) => {
        let text = '';
        answer.setEncoding('utf8');
        answer.on('data', (part: string) => (text += part));
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text }));
      },
    );
    call
      .once('error', reject)
      .once('timeout', () => call.destroy(new Error('timeout')))
      .end();
  });
}

describeWith({ root: true, kubectl: true, images: ['nginx'] }, 'nginx', () => {
  let cluster: Workplace;
  let kubectl: Kubectl;
  beforeAll(async () => {
    cluster = await startKanoe(['--load', imageArchive('nginx')]);
    kubectl = cluster.kubectl();
  });
  afterAll(() => cluster?.stop());

  it('serves what a ConfigMap says, through an Ingress, and reloads a new configuration', async () => {
    const labels = { app: 'nginx' };
    const server = (text: string): string =>
      `server { listen 80; location / { add_header content-type text/plain; return 200 "${text} $request_uri"; } }\n`;
    const config = (text: string): object => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'nginx' },
      data: { 'default.conf': server(text) },
    });
    await kubectl.apply([
      config('first'),
      {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'nginx' },
        spec: {
          replicas: 2,
          selector: { matchLabels: labels },
          template: {
            metadata: { labels },
            spec: {
              containers: [
                {
                  name: 'nginx',
                  image: 'nginx:stable',
                  imagePullPolicy: 'IfNotPresent',
                  ports: [{ name: 'http', containerPort: 80 }],
                  readinessProbe: { httpGet: { path: '/', port: 'http' }, periodSeconds: 1 },
                  volumeMounts: [{ name: 'conf', mountPath: '/etc/nginx/conf.d' }],
                },
              ],
              volumes: [{ name: 'conf', configMap: { name: 'nginx' } }],
            },
          },
        },
      },
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'nginx' },
        spec: { selector: labels, ports: [{ name: 'http', port: 80, targetPort: 'http' }] },
      },
      {
        apiVersion: 'networking.k8s.io/v1',
        kind: 'Ingress',
        metadata: { name: 'nginx' },
        spec: {
          rules: [
            {
              host: 'web.example',
              http: {
                paths: [
                  {
                    path: '/',
                    pathType: 'Prefix',
                    backend: { service: { name: 'nginx', port: { name: 'http' } } },
                  },
                ],
              },
            },
          ],
        },
      },
    ]);
    await kubectl('rollout', 'status', 'deployment/nginx', '--timeout=60s');
    await kubectl('wait', 'ingress/nginx', '--for=jsonpath={.status.loadBalancer.ingress}', '--timeout=30s');
    const address = await kubectl(
      'get',
      'ingress',
      'nginx',
      '-o',
      'jsonpath={.status.loadBalancer.ingress[0].ip}',
    );
    await eventually(async () =>
      expect(await get(address, 'web.example', '/a?b=c')).toEqual({ status: 200, text: 'first /a?b=c' }),
    );
    expect((await get(address, 'other.example', '/')).status).toBe(404);
    await kubectl.apply([config('second')]);
    const names = (await kubectl('get', 'pods', '-l', 'app=nginx', '-o', 'name')).trim().split('\n');
    await eventually(async () => {
      for (const name of names)
        expect(await kubectl('exec', name, '--', 'cat', '/etc/nginx/conf.d/default.conf')).toContain(
          'second',
        );
    }, 120_000);
    for (const name of names) await kubectl('exec', name, '--', 'nginx', '-s', 'reload');
    await eventually(async () => expect((await get(address, 'web.example', '/')).text).toBe('second /'));
  });
});

describeWith({ root: true, kubectl: true, tools: ['mariadbd', 'busybox'] }, 'MariaDB', () => {
  const entrypoint = `#!/bin/sh
set -e
data=/var/lib/mysql
if [ ! -d "$data/mysql" ]; then
  mariadb-install-db --user=root --datadir="$data" --auth-root-authentication-method=normal --skip-test-db >/dev/null
fi
cat > /tmp/init.sql <<SQL
ALTER USER root@localhost IDENTIFIED BY '$MARIADB_ROOT_PASSWORD';
CREATE USER IF NOT EXISTS root@'%' IDENTIFIED BY '$MARIADB_ROOT_PASSWORD';
GRANT ALL ON *.* TO root@'%' WITH GRANT OPTION;
CREATE DATABASE IF NOT EXISTS $MARIADB_DATABASE;
SQL
exec mariadbd --user=root --datadir="$data" --socket=/run/mysqld.sock --init-file=/tmp/init.sql --bind-address=0.0.0.0
`;
  let cluster: Workplace;
  let kubectl: Kubectl;
  beforeAll(async () => {
    const archive = makeDebianImage(scratch, {
      name: 'docker.io/library/mariadb:10.11',
      programs: [
        '/usr/sbin/mariadbd',
        '/usr/bin/mariadb',
        '/usr/bin/mariadb-install-db',
        '/usr/bin/my_print_defaults',
        '/usr/bin/resolveip',
      ],
      folders: ['/usr/share/mysql', '/usr/share/mariadb', '/etc/mysql'],
      files: { '/usr/local/bin/docker-entrypoint.sh': entrypoint },
      config: { Entrypoint: ['docker-entrypoint.sh'], Volumes: { '/var/lib/mysql': {} } },
    });
    cluster = await startKanoe(['--load', archive]);
    kubectl = cluster.kubectl();
  });
  afterAll(() => cluster?.stop());

  const sql = (text: string): Promise<string> =>
    kubectl(
      'exec',
      'mariadb-0',
      '--',
      'mariadb',
      '--socket=/run/mysqld.sock',
      '-uroot',
      '-psecret',
      '--skip-column-names',
      'shop',
      '-e',
      text,
    );

  it('keeps its tables in a claim, over the end of its pod and of the cluster', async () => {
    const labels = { app: 'mariadb' };
    await kubectl.apply([
      { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'mariadb' }, stringData: { password: 'secret' } },
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'mariadb' },
        spec: { clusterIP: 'None', selector: labels, ports: [{ name: 'mysql', port: 3306 }] },
      },
      {
        apiVersion: 'apps/v1',
        kind: 'StatefulSet',
        metadata: { name: 'mariadb' },
        spec: {
          serviceName: 'mariadb',
          selector: { matchLabels: labels },
          template: {
            metadata: { labels },
            spec: {
              containers: [
                {
                  name: 'mariadb',
                  image: 'mariadb:10.11',
                  imagePullPolicy: 'IfNotPresent',
                  env: [
                    {
                      name: 'MARIADB_ROOT_PASSWORD',
                      valueFrom: { secretKeyRef: { name: 'mariadb', key: 'password' } },
                    },
                    { name: 'MARIADB_DATABASE', value: 'shop' },
                  ],
                  ports: [{ name: 'mysql', containerPort: 3306 }],
                  readinessProbe: {
                    exec: {
                      command: [
                        'sh',
                        '-c',
                        'mariadb --socket=/run/mysqld.sock -uroot -p$MARIADB_ROOT_PASSWORD -e "SELECT 1"',
                      ],
                    },
                    periodSeconds: 1,
                  },
                  resources: { requests: { cpu: '100m', memory: '256Mi' }, limits: { memory: '512Mi' } },
                  volumeMounts: [{ name: 'data', mountPath: '/var/lib/mysql' }],
                },
              ],
            },
          },
          volumeClaimTemplates: [
            {
              metadata: { name: 'data' },
              spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
            },
          ],
        },
      },
    ]);
    await kubectl('rollout', 'status', 'statefulset/mariadb', '--timeout=120s');
    await sql('CREATE TABLE orders (id INT PRIMARY KEY, what TEXT); INSERT INTO orders VALUES (1, "canoe")');
    await kubectl('delete', 'pod', 'mariadb-0');
    await kubectl('wait', 'pod/mariadb-0', '--for=condition=Ready', '--timeout=90s');
    await sql('INSERT INTO orders VALUES (2, "paddle")');
    await cluster.down();
    await cluster.up();
    await eventually(
      async () => expect(await sql('SELECT id, what FROM orders ORDER BY id')).toBe('1\tcanoe\n2\tpaddle\n'),
      90_000,
    );
  });
});

interface Targets {
  readonly data: {
    readonly activeTargets: readonly {
      readonly scrapePool: string;
      readonly health: string;
      readonly lastError: string;
    }[];
  };
}

/** Asks what speaks Prometheus' HTTP API. */
function prometheusApi(address: string): {
  /** Health and last error of a target of each job. */
  jobs(): Promise<Readonly<Record<string, string>>>;
  /** The first value of an expression. */
  value(query: string): Promise<number>;
} {
  const ask = async <T>(path: string): Promise<T> =>
    (await (await fetch(`http://${address}/api/v1/${path}`)).json()) as T;
  return {
    async jobs() {
      const { data } = await ask<Targets>('targets?state=active');
      return Object.fromEntries(
        data.activeTargets.map(({ scrapePool, health, lastError }) => [
          scrapePool,
          `${health} ${lastError}`.trim(),
        ]),
      );
    },
    async value(query) {
      const { data } = await ask<{ data: { result: readonly { value: readonly [number, string] }[] } }>(
        `query?query=${encodeURIComponent(query)}`,
      );
      return Number(data.result[0]?.value[1]);
    },
  };
}

const monitoring = join(projectRoot, 'node_modules/.cache/kanoe/monitoring');
const monitoringTools = ['prometheus', 'promtool', 'victoria-metrics'].map((name) => join(monitoring, name));

describeWith({ root: true, kubectl: true, files: monitoringTools }, 'monitoring', () => {
  let cluster: Workplace;
  let kubectl: Kubectl;
  beforeAll(async () => {
    const archives = [
      makeDebianImage(scratch, {
        name: 'docker.io/victoriametrics/victoria-metrics:v1.79.5',
        programs: [[join(monitoring, 'victoria-metrics'), '/bin/victoria-metrics']],
        config: { Entrypoint: ['/bin/victoria-metrics'] },
      }),
      makeDebianImage(scratch, {
        name: 'docker.io/prom/prometheus:v2.42.0',
        programs: [[join(monitoring, 'prometheus'), '/bin/prometheus']],
        config: { Entrypoint: ['/bin/prometheus'], WorkingDir: '/prometheus' },
      }),
    ];
    cluster = await startKanoe(archives.flatMap((archive) => ['--load', archive]));
    kubectl = cluster.kubectl();
    await kubectl('apply', '-f', join(projectRoot, 'examples/patterns/adapter.yaml'));
    await kubectl('apply', '-f', join(projectRoot, 'test/support/monitoring.yaml'));
  });
  afterAll(() => cluster?.stop());

  it('finds nodes, the API, pods, services, endpoints and ingresses by itself, and scrapes them', async () => {
    await kubectl('rollout', 'status', 'deployment/monitoring', '--timeout=90s');
    const ip = await kubectl('get', 'service', 'monitoring', '-o', 'jsonpath={.spec.clusterIP}');
    const { jobs, value } = prometheusApi(`${ip}:8428`);
    const wanted = [
      'apiservers',
      'cadvisor',
      'endpoints',
      'ingresses',
      'kubelet',
      'pods',
      'resource',
      'services',
    ];
    await eventually(
      async () => expect(await jobs()).toEqual(Object.fromEntries(wanted.map((job) => [job, 'up']))),
      90_000,
    );
    const container = '{container="monitoring",pod=~"monitoring-.*"}';
    await eventually(async () => {
      expect(await value('sum(apiserver_request_total)')).toBeGreaterThan(10);
      expect(await value('app_requests_total{outcome="served"}')).toBe(0);
      expect(await value('kubelet_running_pods')).toBeGreaterThan(1);
      expect(await value(`container_memory_working_set_bytes${container}`)).toBeGreaterThan(1e6);
      expect(await value(`rate(container_cpu_usage_seconds_total${container}[1m])`)).toBeGreaterThan(0);
    }, 90_000);
  });

  it('of Prometheus finds pods by SRV records, and knows the API and the node by its account', async () => {
    await kubectl('apply', '-f', join(projectRoot, 'test/support/prometheus.yaml'));
    await kubectl('rollout', 'status', 'deployment/prometheus', '--timeout=90s');
    const ip = await kubectl('get', 'service', 'prometheus', '-o', 'jsonpath={.spec.clusterIP}');
    const { jobs, value } = prometheusApi(`${ip}:9090`);
    await eventually(
      async () => expect(await jobs()).toEqual({ apiserver: 'up', node: 'up', pods: 'up' }),
      90_000,
    );
    await eventually(async () => expect(await value('kubelet_running_pods')).toBeGreaterThan(2), 60_000);
  });

  it('has nothing to criticise in the metrics of API and node', async () => {
    /** Metrics whose names in kube-apiserver are not Prometheus' usual ones. */
    const upstreams =
      /^(authenticated_user_requests|authentication_attempts|apiextensions_openapi_v[23]_regeneration_count|apiserver_admission_step_admission_duration_seconds_summary) /;
    const node = (await kubectl('get', 'nodes', '-o', 'jsonpath={.items[0].metadata.name}')).trim();
    const pages = ['metrics', 'metrics/resource', 'metrics/cadvisor'].map(
      (page) => `/api/v1/nodes/${node}/proxy/${page}`,
    );
    for (const page of ['/metrics', ...pages]) {
      const input = await kubectl('get', '--raw', page);
      const { stderr } = spawnSync(join(monitoring, 'promtool'), ['check', 'metrics'], {
        input,
        encoding: 'utf8',
      });
      const criticised = stderr.split('\n').filter((line) => line !== '' && !upstreams.test(line));
      expect([page, criticised]).toEqual([page, []]);
    }
  });
});

const charts = process.env['KANOE_HELM'] ?? 'KANOE_HELM';

describeWith(
  {
    root: true,
    kubectl: true,
    helm: true,
    files: [join(monitoring, 'prometheus'), join(charts, 'charts.tar.xz')],
  },
  'the chart of Prometheus',
  () => {
    let cluster: Workplace;
    beforeAll(async () => {
      const archive = makeDebianImage(scratch, {
        name: 'quay.io/prometheus/prometheus:v2.42.0',
        programs: [[join(monitoring, 'prometheus'), '/bin/prometheus']],
        config: { Entrypoint: ['/bin/prometheus'], WorkingDir: '/prometheus' },
      });
      cluster = await startKanoe(['--load', archive]);
    });
    afterAll(() => cluster?.stop());

    it('is installed as it is and its server becomes ready, with a claim of its own', async () => {
      const folder = mkdtempSync(join(scratch, 'charts-'));
      execFileSync('tar', [
        '-C',
        folder,
        '-xJf',
        join(charts, 'charts.tar.xz'),
        'prometheus-community-helm-charts/prometheus',
      ]);
      const chart = join(folder, 'prometheus-community-helm-charts/prometheus');
      expect(existsSync(chart)).toBe(true);
      // Debian's Prometheus is built without Kubernetes' service discovery.
      const discovering = [
        'kubernetes-api-servers',
        'kubernetes-nodes',
        'kubernetes-nodes-cadvisor',
        'kubernetes-service-endpoints',
        'kubernetes-service-endpoints-slow',
        'prometheus-pushgateway',
        'kubernetes-services',
        'kubernetes-pods',
        'kubernetes-pods-slow',
      ];
      const off = [
        'alertmanager',
        'kube-state-metrics',
        'prometheus-node-exporter',
        'prometheus-pushgateway',
      ];
      const values = [
        'server.image.tag=v2.42.0',
        'configmapReload.prometheus.enabled=false',
        ...discovering.map((job) => `scrapeConfigs.${job}.enabled=false`),
        ...off.map((name) => `${name}.enabled=false`),
      ];
      const helm = join(projectRoot, 'node_modules/.cache/kanoe/helm/3.17/helm');
      const said = await must(
        helm,
        ['install', 'prometheus', chart, '--set', values.join(','), '--wait', '--timeout', '120s'],
        {
          env: { ...cluster.env, KUBECONFIG: cluster.kubeconfig },
          timeoutMs: 150_000,
        },
      );
      expect(said).toContain('STATUS: deployed');
      expect(
        await cluster.kubectl()('get', 'pvc', 'prometheus-server', '-o', 'jsonpath={.status.phase}'),
      ).toBe('Bound');
    });
  },
);
