import { createHash } from 'node:crypto';
import { createConnection, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { spdyDictionary } from './dictionary.ts';
import {
  FrameReader,
  dataHead,
  goAwayFrame,
  pingFrame,
  rstFrame,
  synReplyFrame,
  synStreamFrame,
} from './frames.ts';
import { HeaderDecoder, HeaderEncoder } from './header-block.ts';
import { SpdyConnection } from './spdy-connection.ts';
import type { SpdyStream } from './spdy-connection.ts';

describe('frames', () => {
  it('read the same however the bytes are cut', () => {
    const bytes = Buffer.concat([
      synStreamFrame(1, Buffer.from('block'), { fin: false }),
      synReplyFrame(1, Buffer.from('reply')),
      dataHead(1, 3, { fin: true }),
      Buffer.from('abc'),
      pingFrame(7),
      rstFrame(3, 5),
      goAwayFrame(1),
    ]);
    const whole = new FrameReader().push(bytes);
    expect(whole.map((frame) => frame.type)).toEqual([
      'synStream',
      'synReply',
      'data',
      'ping',
      'rst',
      'goAway',
    ]);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: bytes.length }), { maxLength: 8 }), (cuts) => {
        const edges = [0, ...cuts.sort((a, b) => a - b), bytes.length];
        const reader = new FrameReader();
        const frames = edges.slice(1).flatMap((end, at) => reader.push(bytes.subarray(edges[at], end)));
        expect(frames).toEqual(whole);
      }),
    );
  });

  it('refuse another version and endless frames', () => {
    expect(() => new FrameReader().push(Buffer.from('8002000100000000', 'hex'))).toThrow('SPDY version 2');
    expect(() => new FrameReader().push(Buffer.from('0000000100ffffff', 'hex'))).toThrow('bytes');
  });
});

describe('header blocks', () => {
  it('use the dictionary of the draft', () => {
    expect(spdyDictionary()).toHaveLength(1423);
    expect(createHash('sha256').update(spdyDictionary()).digest('hex')).toBe(
      '51d27341373f923f3cd88e1eb7162aeaa3723d7585ff2399201dc06498407f02',
    );
  });

  it('share one context in their order', async () => {
    const encoder = new HeaderEncoder();
    const decoder = new HeaderDecoder();
    for (const name of ['stdin', 'stdout', 'error']) {
      const headers = new Map([
        ['streamtype', name],
        ['port', '80'],
      ]);
      expect(await decoder.decode(await encoder.encode(headers))).toEqual(headers);
    }
  });
});

describe('a connection', () => {
  async function pair(
    onStream: (stream: SpdyStream) => void,
  ): Promise<{ client: SpdyConnection; close: () => void }> {
    const server = createServer((socket) => void new SpdyConnection({ socket, role: 'server', onStream }));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const socket = await new Promise<Socket>((resolve) => {
      const made = createConnection((server.address() as AddressInfo).port, '127.0.0.1', () => resolve(made));
    });
    const client = new SpdyConnection({ socket, role: 'client', onStream: () => undefined });
    return {
      client,
      close: () => {
        client.destroy();
        server.close();
      },
    };
  }

  it('carries many streams at once, each ended by itself', async () => {
    const { client, close } = await pair(({ duplex }) => void duplex.pipe(duplex));
    const echo = async (size: number): Promise<number> => {
      const { duplex } = await client.open(new Map([['streamtype', 'data']]));
      duplex.end(Buffer.alloc(size, size % 251));
      let received = 0;
      for await (const chunk of duplex) received += (chunk as Buffer).length;
      return received;
    };
    expect(await Promise.all([1, 70_000, 3_000_000, 5].map(echo))).toEqual([1, 70_000, 3_000_000, 5]);
    close();
  });

  it('stops reading while nobody takes the data', async () => {
    let sent = 0;
    const { client, close } = await pair(({ duplex }) => {
      const more = (): void => {
        while (sent < 256 << 20 && duplex.write(Buffer.alloc(1 << 20))) sent += 1 << 20;
        duplex.once('drain', more);
      };
      more();
    });
    const { duplex } = await client.open(new Map());
    await new Promise((resolve) => duplex.once('readable', resolve));
    let before = -1;
    while (before !== sent) {
      before = sent;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(sent).toBeLessThan(64 << 20);
    close();
  });
});
