import { createSocket } from 'node:dgram';
import { connect, createServer } from 'node:net';
import {
  decode,
  encode,
  RECURSION_DESIRED,
  type DecodedPacket,
  type Packet,
  type RecordType,
} from 'dns-packet';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../base/clock.ts';
import { startDnsServer, type DnsServer } from './dns-server.ts';
import { Forwarder, framed } from './forwarder.ts';
import { ResponseCache } from './response-cache.ts';
import { Zone } from './zone.ts';

const closing: (() => void | Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** A name server on loopback that knows `www.example.com` and counts queries. */
async function startUpstream(): Promise<{ readonly port: number; readonly queries: () => number }> {
  const socket = createSocket('udp4');
  let queries = 0;
  socket.on('message', (message, client) => {
    queries++;
    const query = decode(message);
    const name = query.questions?.[0]?.name ?? '';
    const answers: Packet['answers'] =
      name === 'www.example.com' ? [{ type: 'A', name, ttl: 300, data: '192.0.2.80' }] : [];
    const answer: Packet = {
      type: 'response',
      flags: answers.length > 0 ? 0 : 3,
      answers,
      ...(query.id !== undefined && { id: query.id }),
      ...(query.questions && { questions: query.questions }),
    };
    socket.send(encode(answer), client.port, client.address);
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  closing.push(() => void socket.close());
  return { port: socket.address().port, queries: () => queries };
}

async function startServer(upstreamPort: number, port: number = 0): Promise<DnsServer> {
  const zone = new Zone({ domain: 'cluster.local', ranges: ['10.96.0.0/16'] });
  zone.set({
    kind: 'headless',
    namespace: 'default',
    name: 'many',
    endpoints: Array.from({ length: 200 }, (_, at) => ({
      ip: `10.96.1.${at}`,
      hostname: `host-${at}`,
      ports: [],
    })),
  });
  zone.set({ kind: 'externalName', namespace: 'default', name: 'out', target: 'www.example.com' });
  const clock = systemClock;
  const forwarder = new Forwarder({
    clock,
    servers: () => Promise.resolve(['127.0.0.1']),
    port: upstreamPort,
  });
  const cache = new ResponseCache(clock);
  const server = await startDnsServer({ address: '127.0.0.1', port, zone, forwarder, cache });
  closing.push(() => server.close());
  return server;
}

function question(name: string, type: RecordType, payload?: number): Buffer {
  return encode({
    type: 'query',
    id: 4711,
    flags: RECURSION_DESIRED,
    questions: [{ name, type }],
    ...(payload !== undefined && {
      additionals: [
        {
          type: 'OPT',
          name: '.',
          udpPayloadSize: payload,
          extendedRcode: 0,
          ednsVersion: 0,
          flags: 0,
          flag_do: false,
          options: [],
        },
      ],
    }),
  });
}

function askUdp(server: DnsServer, message: Buffer): Promise<DecodedPacket> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4');
    socket.once('message', (answer) => {
      socket.close();
      resolve(decode(answer));
    });
    socket.send(message, server.port, '127.0.0.1');
  });
}

function askTcp(server: DnsServer, message: Buffer): Promise<DecodedPacket> {
  return new Promise((resolve, reject) => {
    let all = Buffer.alloc(0);
    const socket = connect(server.port, '127.0.0.1', () => socket.write(framed(message)));
    socket.on('error', reject);
    socket.on('data', (part) => {
      all = Buffer.concat([all, part]);
      if (all.length < 2 || all.length < 2 + all.readUInt16BE(0)) return;
      socket.destroy();
      resolve(decode(all.subarray(2)));
    });
  });
}

function code(packet: DecodedPacket): number {
  return (packet.flags ?? 0) & 0x0f;
}

describe('the name server', () => {
  it('answers with authority, under the identifier and name of the question', async () => {
    const server = await startServer(1);
    const answer = await askUdp(server, question('Host-7.MANY.default.svc.cluster.local', 'A'));
    expect(answer.id).toBe(4711);
    expect(answer.flag_aa).toBe(true);
    expect(answer.questions?.[0]?.name).toBe('Host-7.MANY.default.svc.cluster.local');
    expect(answer.answers?.map((record) => 'data' in record && record.data)).toEqual(['10.96.1.7']);
  });

  it('cuts answers to what the asker takes, and has all over TCP', async () => {
    const server = await startServer(1);
    const name = 'many.default.svc.cluster.local';
    const short = await askUdp(server, question(name, 'A'));
    expect(short.flag_tc).toBe(true);
    expect(short.answers?.length).toBeGreaterThan(5);
    const long = await askUdp(server, question(name, 'A', 4096));
    expect(long.flag_tc).toBe(true);
    expect(long.answers?.length).toBeGreaterThan(short.answers?.length ?? 0);
    const all = await askTcp(server, question(name, 'A'));
    expect(all.flag_tc).toBe(false);
    expect(all.answers).toHaveLength(200);
  });

  it('says that a name is not there, with the start of authority', async () => {
    const server = await startServer(1);
    const answer = await askUdp(server, question('nobody.default.svc.cluster.local', 'A'));
    expect(code(answer)).toBe(3);
    expect(answer.authorities?.[0]?.type).toBe('SOA');
  });

  it('asks others for other names, once while the answer lives', async () => {
    const upstream = await startUpstream();
    const server = await startServer(upstream.port);
    const first = await askUdp(server, question('www.example.com', 'A'));
    const second = await askUdp(server, question('www.example.com', 'A'));
    expect([first, second].map((answer) => answer.answers?.[0])).toEqual([
      expect.objectContaining({ data: '192.0.2.80' }),
      expect.objectContaining({ data: '192.0.2.80' }),
    ]);
    expect(upstream.queries()).toBe(1);
  });

  it('follows an alias out of the zone', async () => {
    const upstream = await startUpstream();
    const server = await startServer(upstream.port);
    const answer = await askUdp(server, question('out.default.svc.cluster.local', 'A'));
    expect(answer.answers?.map((record) => 'data' in record && record.data)).toEqual([
      'www.example.com',
      '192.0.2.80',
    ]);
  });

  it('fails at once when no other name server can be reached', async () => {
    const server = await startServer(1);
    const answer = await askUdp(server, question('www.example.com', 'A'));
    expect(code(answer)).toBe(2);
  });

  it('takes another port when its own is in use', async () => {
    const blocker = createServer();
    await new Promise<void>((resolve) => blocker.listen(0, '127.0.0.1', resolve));
    closing.push(() => void blocker.close());
    const address = blocker.address();
    const taken = typeof address === 'object' && address ? address.port : 0;
    const server = await startServer(1, taken);
    expect(server.port).not.toBe(taken);
    const answer = await askTcp(server, question('host-1.many.default.svc.cluster.local', 'A'));
    expect(answer.answers).toHaveLength(1);
  });

  it('does not answer rubbish', async () => {
    const server = await startServer(1);
    const socket = createSocket('udp4');
    socket.send(Buffer.from('rubbish'), server.port, '127.0.0.1');
    const answer = await askUdp(server, question('host-1.many.default.svc.cluster.local', 'A'));
    socket.close();
    expect(answer.answers).toHaveLength(1);
  });
});
