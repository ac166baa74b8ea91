import { join } from 'node:path';
import { open } from 'lmdb';
import { decodeValue } from '../src/machinery/schema/decode.ts';
import { encodeProtobuf } from '../src/machinery/protobuf/encode-protobuf.ts';
import { wrapEnvelope } from '../src/machinery/protobuf/envelope.ts';
import { kubernetesSchema } from '../src/machinery/schema/table.ts';
import { best, row, startBenchApiServer } from './bench-api-server.ts';
import type { BenchRow } from './bench-row.ts';

export const name = 'api: requests a second over HTTPS, 32 connections, client and server in one process';

const PODS = 1_000;
const pods = '/api/v1/namespaces/default/pods';
const configmaps = '/api/v1/namespaces/default/configmaps';
const protobuf = 'application/vnd.kubernetes.protobuf';

/** Durable writes of all kinds and reads, beside a bare `node:https` server that answers the same bytes and LMDB commits of them. */
export async function run(report: (row: BenchRow) => void): Promise<void> {
  const api = await startBenchApiServer();
  const { send, bare, echo } = api;
  const commits = open<Buffer, string>({
    path: join(api.directory, 'bare.mdb'),
    encoding: 'binary',
    overlappingSync: false,
  });
  try {
    await send('POST', '/api/v1/namespaces/default/serviceaccounts', account);
    const example = await send('POST', pods, podBody('example'));
    await send('POST', configmaps, configMap('example', '0'));

    echo.answer(example);
    const creations = await best([
      { count: PODS, once: (at) => bare('POST', pods, podBody(`pod-${at}`)) },
      {
        count: PODS,
        async once(at) {
          await commits.put(at, example);
          await commits.flushed;
        },
      },
      { count: PODS, once: (at) => send('POST', pods, podBody(`pod-${at}`)) },
      { count: PODS, once: (at) => send('POST', pods, podMessage(`message-${at}`), protobuf) },
    ]);
    report(row('durable creates of a pod beside node:https', creations[2], creations[0]));
    report(row('durable creates of a pod beside LMDB commits', creations[2], creations[1]));
    report(row('durable creates of a pod, protobuf', creations[3], creations[0]));

    const merge = 'application/merge-patch+json';
    const apply = 'application/apply-patch+yaml';
    const own = (at: string): string => `${configmaps}/change-${at}`;
    await Promise.all(
      Array.from({ length: 32 }, (_, at) => send('POST', configmaps, configMap(`change-${at}`, '0'))),
    );
    const target = (at: string): string => own(String(Number(at.split('-')[1]) % 32));
    const nameOf = (at: string): string => `change-${Number(at.split('-')[1]) % 32}`;
    echo.answer(await send('GET', own('0')));
    const changes = await best([
      { count: PODS, once: (at) => bare('PUT', own(at), configMap('a', at)) },
      { count: PODS, once: (at) => send('PUT', target(at), configMap(nameOf(at), at)) },
      { count: PODS, once: (at) => send('PATCH', target(at), patch(at), merge) },
      {
        count: PODS,
        once: (at) =>
          send('PATCH', `${target(at)}?fieldManager=bench&force=true`, configMap(nameOf(at), at), apply),
      },
    ]);
    report(row('durable updates of a config map', changes[1], changes[0]));
    report(row('durable merge patches of a config map', changes[2], changes[0]));
    report(row('durable server-side applies of a config map', changes[3], changes[0]));

    echo.answer(await send('GET', `${pods}/example`));
    const [limit, value] = await best([
      { count: 4_000, once: () => bare('GET', `${pods}/example`) },
      { count: 4_000, once: () => send('GET', `${pods}/example`) },
    ]);
    report(row('GETs of a pod', value, limit));
  } finally {
    await api.stop();
    await commits.close();
  }
}

const account = Buffer.from(
  JSON.stringify({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } }),
);

function configMap(mapName: string, value: string): Buffer {
  const object = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: mapName, labels: { app: 'web' } },
    data: { value },
  };
  return Buffer.from(JSON.stringify(object));
}

function patch(value: string): Buffer {
  return Buffer.from(JSON.stringify({ data: { value } }));
}

function pod(podName: string): object {
  const container = {
    name: 'main',
    image: 'registry.example.com/app:1.2',
    env: [{ name: 'MODE', value: 'production' }],
    ports: [{ containerPort: 8080 }],
    resources: { requests: { cpu: '100m', memory: '64Mi' } },
  };
  const metadata = { name: podName, labels: { app: 'web', tier: 'front' } };
  return { apiVersion: 'v1', kind: 'Pod', metadata, spec: { containers: [container] } };
}

function podBody(podName: string): Buffer {
  return Buffer.from(JSON.stringify(pod(podName)));
}

function podMessage(podName: string): Buffer {
  const schema = { table: kubernetesSchema(), message: 'io.k8s.api.core.v1.Pod' };
  const raw = encodeProtobuf(decodeValue(pod(podName), schema).object, schema);
  return wrapEnvelope({ apiVersion: 'v1', kind: 'Pod', raw });
}
