import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectRoot, startKanoe, type Workplace } from './support/kanoe.ts';
import { describeWith } from './support/needs.ts';
import { must, run } from './support/run.ts';

const cache = join(projectRoot, 'node_modules/.cache/kanoe/helm');

/** The Helm programs that were fetched, by minor version. */
const versions = existsSync(cache) ? readdirSync(cache).sort() : [];

const chart = {
  'Chart.yaml': 'apiVersion: v2\nname: idle\nversion: 1.0.0\n',
  'values.yaml': 'replicas: 1\ntext: first\n',
  'templates/config.yaml': `apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}
  labels: {app.kubernetes.io/managed-by: {{ .Release.Service }}}
data:
  text: {{ .Values.text | quote }}
  version: {{ .Capabilities.KubeVersion.Version | quote }}
`,
  'templates/deployment.yaml': `apiVersion: apps/v1
kind: Deployment
metadata: {name: {{ .Release.Name }}}
spec:
  replicas: {{ .Values.replicas }}
  selector: {matchLabels: {app: {{ .Release.Name }}}}
  template:
    metadata:
      labels: {app: {{ .Release.Name }}}
      annotations: {text: {{ .Values.text | quote }}}
    spec:
      containers:
        - name: main
          image: kanoe.local/node
          command: [node, -e, 'setInterval(() => {}, 1000); process.on("SIGTERM", () => process.exit(0))']
          ports: [{name: http, containerPort: 8080}]
`,
  'templates/service.yaml': `apiVersion: v1
kind: Service
metadata: {name: {{ .Release.Name }}}
spec:
  selector: {app: {{ .Release.Name }}}
  ports: [{port: 80, targetPort: http}]
`,
  'templates/hook.yaml': `apiVersion: batch/v1
kind: Job
metadata:
  name: {{ .Release.Name }}-prepare
  annotations: {helm.sh/hook: pre-install, helm.sh/hook-delete-policy: hook-succeeded}
spec:
  template:
    spec:
      restartPolicy: Never
      containers: [{name: main, image: kanoe.local/node, command: [node, -e, '']}]
`,
};

describeWith({ root: true, kubectl: true, helm: true }, 'Helm', () => {
  let place: Workplace;
  let folder: string;
  beforeAll(async () => {
    place = await startKanoe();
    folder = join(place.directory, 'chart');
    mkdirSync(join(folder, 'templates'), { recursive: true });
    for (const [name, text] of Object.entries(chart)) writeFileSync(join(folder, name), text);
  });
  afterAll(() => place.stop());

  describe.each(versions)('%s', (version) => {
    const release = `r${version.replace('.', '-')}`;
    const helm = (...args: readonly string[]): Promise<string> =>
      must(join(cache, version, 'helm'), args, {
        env: { ...place.env, KUBECONFIG: place.kubeconfig, HOME: place.directory },
      });
    const text = (): Promise<string> =>
      place.kubectl()('get', 'configmap', release, '-o', 'jsonpath={.data.text}');

    it('installs, with a hook, and waits', async () => {
      const said = await helm('install', release, folder, '--wait', '--timeout', '90s');
      expect(said).toContain('STATUS: deployed');
      expect(await text()).toBe('first');
      expect(await place.kubectl()('get', 'jobs', '-o', 'name')).toBe('');
    });

    it('upgrades, keeps what others own, and rolls back', async () => {
      await place.kubectl()('annotate', 'configmap', release, 'note=mine');
      await helm('upgrade', release, folder, '--set', 'text=second,replicas=2', '--wait', '--timeout', '90s');
      expect(await text()).toBe('second');
      expect(await helm('history', release)).toMatch(/^2\s.*\sdeployed\s/m);
      await helm('rollback', release, '1', '--wait', '--timeout', '90s');
      expect(await text()).toBe('first');
      const note = await place.kubectl()(
        'get',
        'configmap',
        release,
        '-o',
        'jsonpath={.metadata.annotations.note}',
      );
      expect(note).toBe('mine');
    });

    it('refuses a chart that the API refuses, and says why', async () => {
      const { code, stderr } = await run(
        join(cache, version, 'helm'),
        ['install', `${release}-bad`, folder, '--set', 'replicas=-1'],
        { env: { ...place.env, KUBECONFIG: place.kubeconfig, HOME: place.directory } },
      );
      expect(stderr).toContain('spec.replicas: Invalid value: -1: must be greater than or equal to 0');
      expect(code).toBe(1);
      await helm('uninstall', `${release}-bad`);
    });

    it('lists and uninstalls', async () => {
      expect(await helm('list')).toMatch(
        new RegExp(`^${release}\\s+default\\s+3\\s.*deployed\\s+idle-1\\.0\\.0`, 'm'),
      );
      await helm('uninstall', release, '--wait');
      expect(await place.kubectl()('get', 'deployments', '-o', 'name')).not.toContain(release);
    });
  });
});
