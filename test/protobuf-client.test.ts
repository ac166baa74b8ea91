import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import protobuf from 'protobufjs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { loadJavaScriptClient } from './support/javascript-client.ts';
import { startKanoe, type Workplace } from './support/kanoe.ts';
import { describeWith } from './support/needs.ts';

const protobufType = 'application/vnd.kubernetes.protobuf';
const magic = Buffer.from('k8s\0', 'latin1');

/** The part of Kubernetes' schemas that this client knows; what it does not know it skips. */
const root = protobuf.Root.fromJSON({
  nested: {
    Unknown: message({ typeMeta: ['TypeMeta', 1], raw: ['bytes', 2], contentType: ['string', 4] }),
    TypeMeta: message({ apiVersion: ['string', 1], kind: ['string', 2] }),
    ObjectMeta: message({ name: ['string', 1], namespace: ['string', 3], resourceVersion: ['string', 6] }),
    ListMeta: message({ resourceVersion: ['string', 2], continue: ['string', 3] }),
    ConfigMap: { fields: { metadata: { type: 'ObjectMeta', id: 1 }, data: map('string', 2) } },
    ConfigMapList: {
      fields: {
        metadata: { type: 'ListMeta', id: 1 },
        items: { rule: 'repeated', type: 'ConfigMap', id: 2 },
      },
    },
    Scale: message({ metadata: ['ObjectMeta', 1], spec: ['ScaleSpec', 2] }),
    ScaleSpec: message({ replicas: ['int32', 1] }),
    Status: message({
      status: ['string', 2],
      message: ['string', 3],
      reason: ['string', 4],
      code: ['int32', 6],
    }),
    WatchEvent: message({ type: ['string', 1], object: ['RawExtension', 2] }),
    RawExtension: message({ raw: ['bytes', 1] }),
    DeleteOptions: message({ gracePeriodSeconds: ['int64', 1], propagationPolicy: ['string', 4] }),
  },
});

function message(fields: Record<string, readonly [type: string, id: number]>): protobuf.IType {
  return {
    fields: Object.fromEntries(Object.entries(fields).map(([name, [type, id]]) => [name, { type, id }])),
  };
}

function map(type: string, id: number): protobuf.IMapField {
  return { keyType: 'string', type, id };
}

type Fields = Record<string, unknown>;

function wrap(apiVersion: string, kind: string, fields: Fields): Buffer {
  const type = root.lookupType(kind);
  const raw = type.encode(type.fromObject(fields)).finish();
  const unknown = root.lookupType('Unknown');
  const envelope = unknown.encode(unknown.fromObject({ typeMeta: { apiVersion, kind }, raw })).finish();
  return Buffer.concat([magic, envelope]);
}

function unwrap(bytes: Buffer): Fields {
  expect(bytes.subarray(0, 4)).toEqual(magic);
  const { typeMeta, raw } = plain('Unknown', bytes.subarray(4)) as {
    typeMeta: { kind: string };
    raw: Buffer;
  };
  return { kind: typeMeta.kind, ...plain(typeMeta.kind, raw) };
}

function plain(kind: string, bytes: Buffer): Fields {
  const type = root.lookupType(kind);
  return type.toObject(type.decode(bytes), { longs: Number, arrays: true });
}

describeWith({}, 'a protobuf client', () => {
  let place: Workplace;
  let agent: Agent;
  let server: URL;
  beforeAll(async () => {
    place = await startKanoe(['--nodes', '0']);
    const { KubeConfig } = await loadJavaScriptClient();
    const config = new KubeConfig();
    config.loadFromFile(place.kubeconfig);
    const [cluster, user] = [config.getCurrentCluster(), config.getCurrentUser()];
    server = new URL(cluster?.server ?? '');
    const of = (data?: string, file?: string): Buffer =>
      data ? Buffer.from(data, 'base64') : readFileSync(file ?? '');
    agent = new Agent({
      keepAlive: true,
      ca: of(cluster?.caData, cluster?.caFile),
      cert: of(user?.certData, user?.certFile),
      key: of(user?.keyData, user?.keyFile),
    });
  });
  afterAll(() => {
    agent.destroy();
    return place.stop();
  });

  function ask(
    method: string,
    path: string,
    body?: Buffer,
    type: string = protobufType,
  ): Promise<{
    readonly code: number | undefined;
    readonly type: string | undefined;
    readonly body: Buffer;
  }> {
    return new Promise((resolve, reject) => {
      const headers = {
        accept: protobufType,
        ...(body && { 'content-type': type, 'content-length': body.length }),
      };
      const sent = request(new URL(path, server), { method, agent, headers }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          resolve({
            code: response.statusCode,
            type: response.headers['content-type'],
            body: Buffer.concat(chunks),
          });
        });
      });
      sent.on('error', reject);
      sent.end(body);
    });
  }

  const configMaps = '/api/v1/namespaces/default/configmaps';

  it('creates, reads, replaces, lists and deletes', async () => {
    const fields = { metadata: { name: 'proto' }, data: { a: '1', b: '' } };
    const made = await ask('POST', configMaps, wrap('v1', 'ConfigMap', fields));
    expect([made.code, made.type]).toEqual([201, protobufType]);
    const first = unwrap(made.body) as { metadata: Fields };
    expect(first).toMatchObject({
      kind: 'ConfigMap',
      metadata: { namespace: 'default' },
      data: { a: '1', b: '' },
    });
    const changed = { metadata: first.metadata, data: { a: '2' } };
    const path = `${configMaps}/proto`;
    expect((await ask('PUT', path, wrap('v1', 'ConfigMap', changed))).code).toBe(200);
    expect(unwrap((await ask('GET', path)).body)).toMatchObject({ data: { a: '2' } });
    const conflict = await ask('PUT', path, wrap('v1', 'ConfigMap', changed));
    expect([conflict.code, unwrap(conflict.body)['reason']]).toEqual([409, 'Conflict']);
    const listed = unwrap((await ask('GET', `${configMaps}?fieldSelector=metadata.name%3Dproto`)).body);
    expect(listed).toMatchObject({ kind: 'ConfigMapList', items: [{ data: { a: '2' } }] });
    const options = wrap('v1', 'DeleteOptions', { propagationPolicy: 'Background' });
    const deleted = await ask('DELETE', path, options);
    expect([deleted.code, unwrap(deleted.body)['message']]).toEqual([200, undefined]);
    expect(unwrap((await ask('GET', path)).body)).toMatchObject({
      kind: 'Status',
      reason: 'NotFound',
      message: 'configmaps "proto" not found',
      code: 404,
    });
  });

  it('watches in frames', async () => {
    const { metadata } = unwrap((await ask('GET', configMaps)).body) as {
      metadata: { resourceVersion: string };
    };
    await ask('POST', configMaps, wrap('v1', 'ConfigMap', { metadata: { name: 'framed' } }));
    await ask('DELETE', `${configMaps}/framed`);
    const query = `watch=1&timeoutSeconds=1&resourceVersion=${metadata.resourceVersion}`;
    const { type, body } = await ask('GET', `${configMaps}?${query}`);
    expect(type).toBe(`${protobufType};stream=watch`);
    const heard: unknown[] = [];
    for (let at = 0; at < body.length;) {
      const end = at + 4 + body.readUInt32BE(at);
      const { type: phase, object } = plain('WatchEvent', body.subarray(at + 4, end)) as {
        type: string;
        object: { raw: Buffer };
      };
      heard.push([phase, (unwrap(object.raw)['metadata'] as Fields)['name']]);
      at = end;
    }
    expect(heard).toEqual([
      ['ADDED', 'framed'],
      ['DELETED', 'framed'],
    ]);
  });

  it('gets errors in protobuf, and none where there is no protobuf', async () => {
    const broken = await ask('POST', configMaps, Buffer.concat([magic, Buffer.from([0x0a, 0xff])]));
    expect([broken.code, unwrap(broken.body)['reason']]).toEqual([400, 'BadRequest']);
    const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
    expect((await ask('GET', definitions)).type).toBe(protobufType);
    const json = Buffer.from('{}');
    expect((await ask('POST', configMaps, json, 'application/cbor')).code).toBe(415);
  });

  it('reads zeros as what they are', async () => {
    const path = '/api/v1/namespaces/default/replicationcontrollers';
    const body = Buffer.from(
      JSON.stringify({
        metadata: { name: 'none' },
        spec: {
          replicas: 0,
          selector: { a: 'b' },
          template: { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i' }] } },
        },
      }),
    );
    expect((await ask('POST', path, body, 'application/json')).code).toBe(201);
    const scale = unwrap((await ask('GET', `${path}/none/scale`)).body);
    expect(scale).toMatchObject({ kind: 'Scale' });
    // Without a version: the controller writes, too.
    const metadata = { name: 'none', namespace: 'default' };
    const up = wrap('autoscaling/v1', 'Scale', { metadata, spec: { replicas: 3 } });
    expect(unwrap((await ask('PUT', `${path}/none/scale`, up)).body)).toMatchObject({
      spec: { replicas: 3 },
    });
  });
});
