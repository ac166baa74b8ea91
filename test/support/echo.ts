import type { Kubectl } from './kubectl.ts';

/** What an echo server says of itself and of who asked it. */
export interface Echo {
  readonly name: string;
  readonly node: string;
  readonly client: string;
}

const echoProgram = `require('http').createServer((q, s) => s.end(JSON.stringify({ name: process.env.NAME, node: process.env.NODE, client: q.socket.remoteAddress.replace('::ffff:', '') }))).listen(Number(process.env.PORT))`;

/** A DaemonSet of echo servers on port 8080, or on the `PORT` of other `env`. */
export function echoDaemons(name: string, spec: object, container: object = {}): object {
  const field = (fieldPath: string): object => ({ fieldRef: { fieldPath } });
  return {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name },
    spec: {
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: {
          terminationGracePeriodSeconds: 1,
          ...spec,
          containers: [
            {
              name: 'echo',
              image: 'kanoe.local/node',
              command: ['node', '-e', echoProgram],
              env: [
                { name: 'PORT', value: '8080' },
                { name: 'NAME', valueFrom: field('metadata.name') },
                { name: 'NODE', valueFrom: field('spec.nodeName') },
              ],
              readinessProbe: { httpGet: { path: '/', port: 8080 }, periodSeconds: 1 },
              ...container,
            },
          ],
        },
      },
    },
  };
}

/** A Service of the pods of `echoDaemons('echo', …)`. */
export function echoService(name: string, spec: object): object {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name },
    spec: { selector: { app: 'echo' }, ports: [{ port: 80, targetPort: 8080 }], ...spec },
  };
}

/** The name of the pod of an app that runs on a node. */
export function podOn(kubectl: Kubectl, node: string, app: string): Promise<string> {
  const path = 'jsonpath={.items[0].metadata.name}';
  return kubectl('get', 'pods', '-l', `app=${app}`, '--field-selector', `spec.nodeName=${node}`, '-o', path);
}

/** What an echo server answers to a pod that has `node`. */
export async function askFromPod(kubectl: Kubectl, pod: string, url: string): Promise<Echo> {
  const script = `fetch('${url}').then((r) => r.text()).then(console.log)`;
  return JSON.parse(await kubectl('exec', pod, '--', 'node', '-e', script)) as Echo;
}
