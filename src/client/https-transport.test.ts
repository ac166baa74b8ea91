import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { configmaps, type ConfigMap } from '../api/core/v1.gen.ts';
import { createClient } from './create-client.ts';
import { createHttpsTransport } from './https-transport.ts';

interface Seen {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly type: string | undefined;
  readonly authorization: string | undefined;
  readonly body: string;
}

let server: http.Server;
let seen: Seen[];
let answer: (response: http.ServerResponse) => void;

function json(code: number, value: unknown): (response: http.ServerResponse) => void {
  return (response) =>
    response
      .writeHead(code, { 'content-type': 'application/json' })
      .end(typeof value === 'string' ? value : JSON.stringify(value));
}

beforeEach(async () => {
  seen = [];
  server = http.createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += String(chunk)));
    request.on('end', () => {
      const { method, url, headers } = request;
      seen.push({ method, url, type: headers['content-type'], authorization: headers.authorization, body });
      answer(response);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

function connect(): { readonly client: ReturnType<typeof createClient>; readonly server: string } {
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { client: createClient(createHttpsTransport({ server: address, token: 't' })), server: address };
}

describe('createHttpsTransport', () => {
  it('fills apiVersion and kind of list items in', async () => {
    answer = json(200, {
      kind: 'ConfigMapList',
      apiVersion: 'v1',
      metadata: {},
      items: [{ metadata: { name: 'a' } }],
    });
    const list = await connect()
      .client.for(configmaps)
      .list({ namespace: 'default', labelSelector: 'a in (b,c)' });
    expect([list.items, seen[0]?.url, seen[0]?.authorization]).toEqual([
      [{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' } }],
      '/api/v1/namespaces/default/configmaps?labelSelector=a+in+%28b%2Cc%29',
      'Bearer t',
    ]);
  });

  it('sends patches with their media type', async () => {
    answer = json(200, {});
    const patch = { data: { a: 'b' } };
    await connect()
      .client.for(configmaps)
      .patch({ namespace: 'ns', name: 'x' }, patch, { type: 'application/merge-patch+json' });
    expect(seen).toEqual([
      {
        method: 'PATCH',
        url: '/api/v1/namespaces/ns/configmaps/x',
        type: 'application/merge-patch+json',
        authorization: 'Bearer t',
        body: '{"data":{"a":"b"}}',
      },
    ]);
  });

  it('keeps integers exact', async () => {
    answer = json(200, '{"data":{"n":9007199254740993}}');
    const object = (await connect().client.for(configmaps).get({ namespace: 'ns', name: 'x' })) as ConfigMap;
    expect(object.data).toEqual({ n: 9007199254740993n });
  });

  it.each<[string, unknown, { reason: string; message: string }]>([
    [
      'the Status of the body',
      { kind: 'Status', code: 409, reason: 'Conflict', message: 'the object has been modified' },
      { reason: 'Conflict', message: 'the object has been modified' },
    ],
    [
      'a Status made from the code',
      'busy',
      { reason: 'Conflict', message: 'the server reported a conflict (get configmaps x)' },
    ],
  ])('throws %s', async (_, body, expected) => {
    answer = json(409, body);
    const failure: unknown = await connect()
      .client.for(configmaps)
      .get({ namespace: 'ns', name: 'x' })
      .catch((error: unknown) => error);
    expect(failure).toMatchObject(expected);
  });

  it('watches line by line, however the bytes arrive', async () => {
    answer = (response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.write('{"type":"ADDED","object":{"metadata":{"name":"a"}}}\n{"type":"MODI');
      response.end('FIED","object":{"metadata":{"name":"b"}}}\n');
    };
    const events: string[] = [];
    for await (const { type, object } of connect().client.for(configmaps).watch({ resourceVersion: '5' })) {
      events.push(`${type} ${object.metadata.name}`);
    }
    expect([events, seen[0]?.url]).toEqual([
      ['ADDED a', 'MODIFIED b'],
      '/api/v1/configmaps?resourceVersion=5&watch=true',
    ]);
  });

  it('throws the Status of an ERROR event', async () => {
    answer = json(
      200,
      '{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired","message":"too old"}}\n',
    );
    const watching = async (): Promise<void> => {
      for await (const _ of connect().client.for(configmaps).watch({})) continue;
    };
    await expect(watching()).rejects.toMatchObject({ reason: 'Expired', code: 410 });
  });

  it('names the address and says what to do when nothing listens', async () => {
    const { client, server: address } = connect();
    server.close();
    await once(server, 'close');
    await expect(client.for(configmaps).list()).rejects.toMatchObject({
      code: 'SERVER_UNREACHABLE',
      message: `cannot reach ${address}: nothing listens there; is the cluster running? (ECONNREFUSED)`,
    });
  });
});
