import { generateKeyPairSync } from 'node:crypto';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { TLSSocket } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nodes, pods, serviceaccounts, type Node, type Pod, type PodSpec } from '../../api/core/v1.gen.ts';
import { priorityclasses } from '../../api/scheduling/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import { issueAuthority, issueCertificate } from '../../machinery/x509/issue-certificate.ts';
import { writeAlternativeNames, writeName } from '../../machinery/x509/write-names.ts';
import { eventually } from '../../reconcile/eventually.ts';
import { startTestServer, type TestServer } from '../../reconcile/test-server.ts';
import { createScheduler, defaultSchedulerOptions } from '../scheduler.ts';
import type { ExtenderSettings, ExtenderTls } from './extender-settings.ts';

interface Question {
  readonly verb: string;
  readonly body: Readonly<Record<string, unknown>>;
}

/** What an extender answers; a number is a status code, undefined no answer at all. */
type Answers = (question: Question) => unknown;

let cluster: TestServer | undefined;
let extenders: Server[] = [];
let asked: Question[] = [];

beforeEach(() => {
  asked = [];
});
afterEach(async () => {
  for (const extender of extenders) {
    extender.closeAllConnections();
    extender.close();
  }
  extenders = [];
  await cluster?.stop().catch(() => undefined);
  cluster = undefined;
});

function settings(urlPrefix: string, given: Partial<ExtenderSettings>): ExtenderSettings {
  return {
    urlPrefix,
    filterVerb: '',
    preemptVerb: '',
    prioritizeVerb: '',
    bindVerb: '',
    weight: 1,
    timeoutMs: 5000,
    nodeCacheCapable: false,
    managedResources: [],
    ignorable: false,
    ...given,
  };
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text;
}

function answering(answers: Answers): RequestListener {
  return (request, response) => {
    void textOf(request).then((text) => {
      const verb = (request.url ?? '').replace('/scheduler/', '');
      const question = { verb, body: JSON.parse(text) as Question['body'] };
      asked.push(question);
      const answer = answers(question);
      if (answer === undefined) return;
      if (typeof answer === 'number') response.writeHead(answer).end();
      else response.end(JSON.stringify(answer));
    });
  };
}

async function listen(server: Server): Promise<number> {
  extenders.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function extender(answers: Answers, given: Partial<ExtenderSettings>): Promise<ExtenderSettings> {
  const port = await listen(createServer(answering(answers)));
  return settings(`http://127.0.0.1:${port}/scheduler/`, given);
}

async function start(...configured: readonly ExtenderSettings[]): Promise<TestServer> {
  cluster = await startTestServer([
    createScheduler(() => ({
      ...defaultSchedulerOptions(),
      podInitialBackoffMs: 50,
      podMaxBackoffMs: 50,
      seed: 1,
      extenders: configured,
    })),
  ]);
  await cluster.client.for(serviceaccounts).create({
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: 'default', namespace: 'default' },
  });
  return cluster;
}

async function addNodes(...names: readonly string[]): Promise<void> {
  const resource = cluster?.client.for(nodes);
  for (const name of names) {
    const node = await resource?.create({ apiVersion: 'v1', kind: 'Node', metadata: { name }, spec: {} });
    if (!node) return;
    const allocatable = { cpu: '4', memory: '8Gi', pods: '110', 'example.com/gpu': '4' };
    const status: Node['status'] = { allocatable, conditions: [{ type: 'Ready', status: 'True' }] };
    await resource?.update({ ...(await resource.updateStatus({ ...node, status })), spec: {} });
  }
}

async function addPod(name: string, spec: Partial<PodSpec> = {}): Promise<void> {
  await cluster?.client.for(pods).create({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default' },
    spec: { containers: [{ name: 'c', image: 'i' }], ...spec },
  });
}

const requesting = (resources: Readonly<Record<string, string>>): Partial<PodSpec> => ({
  containers: [{ name: 'c', image: 'i', resources: { requests: resources, limits: resources } }],
});

async function placed(name: string): Promise<string | undefined> {
  if (!cluster) return undefined;
  const of = (list: readonly Live<Pod>[]): string | undefined =>
    list.find(({ metadata }) => metadata.name === name)?.spec.nodeName;
  return of(await eventually(cluster.client, pods, (list) => of(list) !== undefined));
}

async function refusal(name: string): Promise<string> {
  if (!cluster) return '';
  const of = (list: readonly Live<Pod>[]): string => {
    const found = list.find(({ metadata }) => metadata.name === name)?.status?.conditions?.[0];
    return found ? `${found.reason}: ${found.message}` : '';
  };
  return of(await eventually(cluster.client, pods, (list) => of(list) !== ''));
}

const named = ({ body }: Question): readonly string[] => {
  if (body['NodeNames']) return body['NodeNames'] as string[];
  const { items = [] } = (body['Nodes'] ?? {}) as { readonly items?: readonly Live<Node>[] };
  return items.map(({ metadata }) => metadata.name);
};
const nodeList = (...names: readonly string[]): unknown => ({
  items: names.map((name) => ({ metadata: { name } })),
});

describe('an extender that filters', () => {
  it.each<[string, Partial<ExtenderSettings>, Answers]>([
    ['gets nodes, returns nodes', {}, () => ({ Nodes: nodeList('b') })],
    ['gets names, returns names', { nodeCacheCapable: true }, () => ({ NodeNames: ['b'] })],
    ['may write fields in any case', { nodeCacheCapable: true }, () => ({ nodenames: ['b'], error: '' })],
  ])('%s', async (_, given, answers) => {
    await start(await extender(answers, { filterVerb: 'filter', ...given }));
    await addNodes('a', 'b', 'c');
    await addPod('p');
    expect(await placed('p')).toBe('b');
    const [question] = asked.slice(-1);
    expect(question?.verb).toBe('filter');
    expect(question && named(question).toSorted()).toEqual(['a', 'b', 'c']);
    expect(question?.body[given.nodeCacheCapable ? 'Nodes' : 'NodeNames']).toBe(null);
    expect(question?.body['Pod']).toMatchObject({ metadata: { name: 'p' } });
  });

  it('gets what the one before it left', async () => {
    const first = await extender(() => ({ NodeNames: ['a', 'b'] }), {
      filterVerb: 'first',
      nodeCacheCapable: true,
    });
    const second = await extender((question) => ({ NodeNames: named(question).slice(1) }), {
      filterVerb: 'second',
      nodeCacheCapable: true,
    });
    await start(first, second);
    await addNodes('a', 'b', 'c');
    await addPod('p');
    expect(await placed('p')).toBe('b');
    expect(asked.slice(-1).map(named)).toEqual([['a', 'b']]);
  });

  it('says why it rejects nodes, beside the plug-ins', async () => {
    await start(
      await extender(
        () => ({ FailedNodes: { a: 'too old', b: 'shut' }, FailedAndUnresolvableNodes: { b: 'gone' } }),
        {
          filterVerb: 'filter',
        },
      ),
    );
    await addNodes('a', 'b');
    await addPod('p');
    expect(await refusal('p')).toBe(
      'Unschedulable: 0/2 nodes are available: 1 gone, 1 too old. no new claims to deallocate, preemption: 0/2 nodes are available: 1 No preemption victims found for incoming pod, 1 Preemption is not helpful for scheduling.',
    );
  });

  it('is asked again about a pod that it rejected when anything happens', async () => {
    let open = false;
    await start(
      await extender((question) => (open ? { NodeNames: named(question) } : { FailedNodes: { a: 'shut' } }), {
        filterVerb: 'filter',
        nodeCacheCapable: true,
      }),
    );
    await addNodes('a');
    await addPod('p');
    await refusal('p');
    open = true;
    await addNodes('b');
    expect(await placed('p')).toBeDefined();
  });

  it.each<[string, Answers, string]>([
    ['fails', () => 500, 'failed filter with extender at URL {url}/filter, code 500'],
    ['says what went wrong', () => ({ Error: 'no licence' }), 'no licence'],
    [
      'names a node that it was not asked about',
      () => ({ NodeNames: ['z'] }),
      'extender "{url}/" claims a filtered node "z" which is not found in the input node list',
    ],
    [
      'does not answer in time',
      () => undefined,
      'Post "{url}/filter": context deadline exceeded (Client.Timeout exceeded while awaiting headers)',
    ],
  ])('holds pods up when it %s', async (_, answers, message) => {
    const configured = await extender(answers, {
      filterVerb: 'filter',
      nodeCacheCapable: true,
      timeoutMs: 100,
    });
    await start(configured);
    await addNodes('a');
    await addPod('p');
    const url = configured.urlPrefix.slice(0, -1);
    expect(await refusal('p')).toBe(`SchedulerError: ${message.replace('{url}', url)}`);
  });

  it('holds nothing up when it is ignorable', async () => {
    await start(
      settings('http://127.0.0.1:1', { filterVerb: 'filter', prioritizeVerb: 'p', ignorable: true }),
      await extender(() => ({ NodeNames: ['b'] }), { filterVerb: 'filter', nodeCacheCapable: true }),
    );
    await addNodes('a', 'b');
    await addPod('p');
    expect(await placed('p')).toBe('b');
  });

  it('hears only of pods that request what it manages', async () => {
    await start(
      await extender(() => ({ NodeNames: ['b'] }), {
        filterVerb: 'filter',
        nodeCacheCapable: true,
        managedResources: ['example.com/gpu'],
      }),
    );
    await addNodes('a', 'b');
    await addPod('plain', requesting({ cpu: '1' }));
    await placed('plain');
    expect(asked).toEqual([]);
    await addPod('special', requesting({ 'example.com/gpu': '1' }));
    expect(await placed('special')).toBe('b');
  });

  it('may take so long that the pod is gone', async () => {
    const server = await start(
      await extender(
        ({ body }) => {
          const { metadata } = body['Pod'] as Live<Pod>;
          if (metadata.name !== 'slow') return { NodeNames: ['a'] };
          void server.client
            .for(pods)
            .delete({ namespace: 'default', name: 'slow' }, { gracePeriodSeconds: 0 });
          return undefined;
        },
        { filterVerb: 'filter', nodeCacheCapable: true, timeoutMs: 200 },
      ),
    );
    await addNodes('a');
    await addPod('slow');
    await eventually(server.client, pods, (list) => list.length === 0 && asked.length > 0);
    await addPod('next');
    expect(await placed('next')).toBe('a');
  });
});

describe('an extender that prioritizes', () => {
  it('outweighs the plug-ins by its weight', async () => {
    const configured = await extender(
      () => [
        { Host: 'a', Score: 1 },
        { Host: 'b', Score: 10 },
      ],
      { prioritizeVerb: 'prioritize', weight: 100 },
    );
    await start(configured);
    await addNodes('a', 'b', 'c');
    for (const name of ['p', 'q', 'r']) {
      await addPod(name, requesting({ cpu: '1' }));
      expect(await placed(name)).toBe('b');
    }
  });

  it('is passed over when it fails', async () => {
    await start(await extender(() => 404, { prioritizeVerb: 'prioritize' }));
    await addNodes('a', 'b');
    await addPod('p');
    expect(await placed('p')).toBeDefined();
  });
});

describe('an extender that binds', () => {
  it('binds instead of the scheduler', async () => {
    const server = await start(
      await extender(
        ({ body }) => {
          void server.client
            .for(pods)
            .createSubresource({ namespace: 'default', name: String(body['PodName']) }, 'binding', {
              apiVersion: 'v1',
              kind: 'Binding',
              metadata: { name: String(body['PodName']), namespace: 'default' },
              target: { kind: 'Node', name: String(body['Node']) },
            });
          return {};
        },
        { bindVerb: 'bind' },
      ),
    );
    await addNodes('a');
    await addPod('p');
    expect(await placed('p')).toBe('a');
    expect(asked).toMatchObject([
      { verb: 'bind', body: { PodName: 'p', PodNamespace: 'default', Node: 'a' } },
    ]);
  });

  it('says why it does not', async () => {
    await start(await extender(() => ({ Error: 'not today' }), { bindVerb: 'bind' }));
    await addNodes('a');
    await addPod('p');
    expect(await refusal('p')).toBe('SchedulerError: not today');
  });

  it('leaves it to the scheduler when it is ignorable and fails', async () => {
    await start(await extender(() => 500, { bindVerb: 'bind', ignorable: true }));
    await addNodes('a');
    await addPod('p');
    expect(await placed('p')).toBe('a');
  });
});

describe('an extender that preempts', () => {
  async function fill(): Promise<void> {
    await cluster?.client.for(priorityclasses).create({
      apiVersion: 'scheduling.k8s.io/v1',
      kind: 'PriorityClass',
      metadata: { name: 'high' },
      value: 100,
    });
    await addNodes('a', 'b');
    await addPod('on-a', { ...requesting({ cpu: '3' }), nodeName: 'a' });
    await addPod('on-b', { ...requesting({ cpu: '3' }), nodeName: 'b' });
  }

  it.each([[true], [false]])('chooses where (it knows nodes and pods: %s)', async (nodeCacheCapable) => {
    interface Victims {
      readonly Pods: readonly (Live<Pod> & { readonly UID?: string })[];
    }
    const server = await start(
      await extender(
        ({ body }) => {
          const given = body[nodeCacheCapable ? 'NodeNameToMetaVictims' : 'NodeNameToVictims'];
          const { b } = given as Readonly<Record<string, Victims>>;
          const Pods = b?.Pods.map((one) => ({ UID: one.UID ?? one.metadata.uid }));
          return { NodeNameToMetaVictims: { b: { Pods, NumPDBViolations: 0 } } };
        },
        { preemptVerb: 'preempt', nodeCacheCapable },
      ),
    );
    await fill();
    await addPod('urgent', { ...requesting({ cpu: '3' }), priorityClassName: 'high' });
    const list = await eventually(server.client, pods, (all) =>
      all.some(({ metadata }) => metadata.name === 'on-b' && metadata.deletionTimestamp !== undefined),
    );
    expect(list.find(({ metadata }) => metadata.name === 'on-a')?.metadata.deletionTimestamp).toBeUndefined();
    expect(asked[0]?.verb).toBe('preempt');
  });

  it('may forbid it', async () => {
    await start(await extender(() => ({ NodeNameToMetaVictims: {} }), { preemptVerb: 'preempt' }));
    await fill();
    await addPod('urgent', { ...requesting({ cpu: '3' }), priorityClassName: 'high' });
    expect(await refusal('urgent')).toBe(
      'Unschedulable: 0/2 nodes are available: 2 Insufficient cpu. no new claims to deallocate, preemption: no candidate node for preemption',
    );
  });
});

describe('an extender behind TLS', () => {
  const time = Date.now();
  const times = { notBefore: time - 60_000, notAfter: time + 3_600_000 };
  const { publicKey, privateKey: key } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'der' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  const ca = issueAuthority({ subject: writeName([['CN', 'tests']]), publicKey, key, ...times });
  const certificate = (usage: string, name: string): string =>
    issueCertificate(
      { cert: ca, key },
      {
        request: {
          subject: writeName([['CN', name]]),
          publicKey,
          alternativeNames: writeAlternativeNames([name], []),
        },
        usages: ['digital signature', usage],
        ...times,
      },
    );

  async function secured(tls: ExtenderTls): Promise<void> {
    const listener = answering((question) => ({ NodeNames: named(question) }));
    const port = await listen(
      createHttpsServer(
        {
          key,
          cert: certificate('server auth', 'extender.example'),
          ca,
          requestCert: true,
          rejectUnauthorized: false,
        },
        (request, response) => {
          if (!(request.socket as TLSSocket).authorized && tls.cert) response.writeHead(403).end();
          else listener(request, response);
        },
      ),
    );
    const url = `https://127.0.0.1:${port}`;
    await start(settings(url, { filterVerb: 'filter', nodeCacheCapable: true, tls }));
    await addNodes('a');
    await addPod('p');
  }

  it.each<[string, ExtenderTls]>([
    ['is believed by its authority and name', { insecure: false, ca, serverName: 'extender.example' }],
    ['is taken as it is', { insecure: true }],
    [
      'knows the scheduler by its certificate',
      {
        insecure: false,
        ca,
        serverName: 'extender.example',
        cert: certificate('client auth', 'scheduler'),
        key,
      },
    ],
  ])('%s', async (_, tls) => {
    await secured(tls);
    expect(await placed('p')).toBe('a');
  });

  it.each<[string, ExtenderTls, RegExp]>([
    ['of an unknown authority', { insecure: false }, /certificate signed by unknown authority$/],
    [
      'of another name',
      { insecure: false, ca },
      /certificate is valid for extender\.example, not 127\.0\.0\.1$/,
    ],
  ])('is not believed when its certificate is %s', async (_, tls, why) => {
    await secured(tls);
    expect(await refusal('p')).toMatch(why);
  });
});
