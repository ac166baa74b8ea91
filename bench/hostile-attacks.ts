import { once } from 'node:events';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { Agent, request, type AgentOptions, type RequestOptions } from 'node:https';
import type { TLSSocket } from 'node:tls';

/** The server, and with what the client shows itself. */
export type Target = Pick<AgentOptions, 'ca' | 'cert' | 'key'> & {
  readonly host: string;
  readonly port: number;
};

/** Begins to do harm; resolves when it is in full swing. It ends with the process. */
type Attack = (target: Target) => Promise<void> | void;

const namespace = '/api/v1/namespaces/default';
const policies = '/apis/admissionregistration.k8s.io/v1';
const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';

/** Sends one request and resolves to the code of the answer, 0 when there is none. */
export function ask(options: RequestOptions, body?: Buffer): Promise<number> {
  return new Promise((resolve) => {
    const outgoing = request(options, (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode ?? 0));
      response.on('error', () => resolve(0));
    });
    outgoing.on('error', () => resolve(0));
    outgoing.end(body);
  });
}

export const attacks: Readonly<Record<string, Attack>> = {
  async '1,000 watches'(target) {
    const agent = new Agent({ ...target, maxSockets: 1_000 });
    await many(1_000, async () => {
      const watch = request({ ...target, agent, path: '/api/v1/configmaps?watch=1' });
      watch.end();
      (await answerTo(watch))?.resume();
    });
  },
  async '32 clients that never read'(target) {
    const agent = new Agent({ ...target, maxSockets: 32 });
    await many(32, async () => {
      const outgoing = request({ ...target, agent, path: '/openapi/v2' });
      outgoing.end();
      (await answerTo(outgoing))?.pause();
    });
  },
  async '64 clients that send a byte a second'(target) {
    const agent = new Agent({ ...target, maxSockets: 64 });
    const headers = { 'content-type': 'application/json', 'content-length': 100_000 };
    await many(64, async () => {
      const upload = request({
        ...target,
        agent,
        method: 'POST',
        path: `${namespace}/configmaps`,
        headers,
      });
      upload.on('error', () => undefined);
      upload.write('{');
      const [socket] = (await once(upload, 'socket')) as [TLSSocket];
      if (socket.connecting) await once(socket, 'secureConnect');
      setInterval(() => upload.write('{'), 1_000);
    });
  },
  '32 clients that connect again and again'(target) {
    for (let at = 0; at < 32; at += 1) repeat(() => ask({ ...target, agent: false, path: '/livez' }));
  },
  '4 clients that send bodies of 100 MB'(target) {
    for (let at = 0; at < 4; at += 1) repeat(() => upload(target));
  },
  async 'a CEL rule of quadratic cost'(target) {
    const items = { type: 'array', maxItems: 1_000, items: { type: 'integer' } };
    const rule = { rule: 'self.a.all(x, self.a.all(y, x == y || x != y))' };
    const spec = { type: 'object', properties: { a: items }, 'x-kubernetes-validations': [rule] };
    await post(target, definitions, definition('loops', spec));
    const object = {
      apiVersion: 'bench.example/v1',
      kind: 'Kloops',
      metadata: { generateName: 'a-' },
      spec: { a: Array.from({ length: 1_000 }, (_, at) => at) },
    };
    repeat(() => post(target, '/apis/bench.example/v1/namespaces/default/loops', object));
  },
  async 'a policy of quadratic cost'(target) {
    const about = { apiVersion: 'admissionregistration.k8s.io/v1', metadata: { name: 'slow' } };
    const rule = { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['configmaps'] };
    await post(target, `${policies}/validatingadmissionpolicies`, {
      ...about,
      kind: 'ValidatingAdmissionPolicy',
      spec: {
        matchConstraints: { resourceRules: [rule] },
        validations: [{ expression: "object.data.all(a, object.data.all(b, a != b + 'x'))" }],
      },
    });
    await post(target, `${policies}/validatingadmissionpolicybindings`, {
      ...about,
      kind: 'ValidatingAdmissionPolicyBinding',
      spec: { policyName: 'slow', validationActions: ['Deny'] },
    });
    const data = Object.fromEntries(Array.from({ length: 320 }, (_, at) => [`k${at}`, 'v']));
    const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { generateName: 'a-' }, data };
    repeat(() => post(target, `${namespace}/configmaps`, object));
  },
  'definitions of 10,000 properties'(target) {
    const names = Array.from({ length: 10_000 }, (_, index) => [`p${index}`, { type: 'string' }]);
    const spec = { type: 'object', properties: Object.fromEntries(names) };
    let at = 0;
    repeat(async () => {
      at += 1;
      const plural = `wide${process.pid}n${at}`;
      await post(target, definitions, definition(plural, spec));
      await ask({ ...target, method: 'DELETE', path: `${definitions}/${plural}.bench.example` });
    });
  },
};

/** Sends a body of 100 MB as fast as the server takes it, whatever that answers, until it is cut off. */
function upload(target: Target): Promise<void> {
  const block = Buffer.alloc(1 << 20, 0x20);
  const headers = { 'content-type': 'application/json', 'content-length': 100 * block.length };
  return new Promise((resolve) => {
    const outgoing = request({ ...target, method: 'POST', path: `${namespace}/configmaps`, headers });
    let left = 100;
    const send = (): void => {
      while (left > 0 && !outgoing.destroyed) {
        left -= 1;
        if (outgoing.write(block)) continue;
        outgoing.once('drain', send);
        return;
      }
      outgoing.end();
    };
    outgoing.on('response', (response) => response.resume());
    outgoing.on('error', () => undefined);
    outgoing.on('close', resolve);
    send();
  });
}

function post(target: Target, path: string, object: object): Promise<number> {
  const bytes = Buffer.from(JSON.stringify(object));
  const headers = { 'content-type': 'application/json', 'content-length': bytes.length };
  return ask({ ...target, path, method: 'POST', headers }, bytes);
}

/** A definition of custom resources whose `spec` has this schema. */
function definition(plural: string, spec: object): object {
  const schema = { openAPIV3Schema: { type: 'object', properties: { spec } } };
  const names = { plural, singular: plural, kind: `K${plural}`, listKind: `K${plural}List` };
  const versions = [{ name: 'v1', served: true, storage: true, schema }];
  const metadata = { name: `${plural}.bench.example` };
  const body = { group: 'bench.example', scope: 'Namespaced', names, versions };
  return { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', metadata, spec: body };
}

function repeat(begin: () => Promise<unknown>): void {
  void begin().finally(() => repeat(begin));
}

async function many(count: number, begin: () => Promise<void>): Promise<void> {
  await Promise.all(Array.from({ length: count }, begin));
}

/** The answer to a request once it begins; undefined when there is none. */
function answerTo(outgoing: ClientRequest): Promise<IncomingMessage | undefined> {
  return new Promise((resolve) => {
    outgoing.on('response', resolve);
    outgoing.on('error', () => resolve(undefined));
  });
}
