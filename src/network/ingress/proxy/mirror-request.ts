import { PassThrough, type Readable } from 'node:stream';
import type { FrontExchange } from './front-exchange.ts';
import { send, type Forwarding } from './forward-exchange.ts';
import type { Mirror } from './proxy-configuration.ts';
import type { UpstreamRequest } from './upstream-exchange.ts';

/** Bytes of a body that may wait for a slow mirror; past them it gets no more of the request. */
const maxWaiting = 1024 * 1024;

/** Sends copies of a request to mirrors and drops what they answer. A mirror that is slow or away holds nothing up. */
export function mirrorRequest(
  exchange: FrontExchange,
  mirrors: readonly Mirror[],
  request: Omit<UpstreamRequest, 'body' | 'trailers'>,
  forwarding: Forwarding & { readonly random: () => number },
): void {
  for (const { upstream: name, share } of mirrors) {
    if (share < 1 && forwarding.random() >= share) continue;
    const upstream = forwarding.pool.get(name);
    const endpoint = upstream && forwarding.pool.pick(upstream, []);
    if (!endpoint) continue;
    const body = exchange.body && copyOf(exchange.body);
    send(forwarding, { upstream, endpoint }, body ? { ...request, body } : request, {
      onResponse: (response) => {
        response.body?.on('error', () => {});
        response.body?.resume();
      },
      onFailure: () => body?.destroy(),
    });
  }
}

function copyOf(body: Readable): Readable {
  const copy = new PassThrough({ highWaterMark: maxWaiting });
  copy.on('error', () => {});
  const take = (chunk: Buffer): void => {
    if (copy.destroyed) return;
    if (copy.writableLength + copy.readableLength > maxWaiting) copy.destroy();
    else copy.write(chunk);
  };
  body.on('data', take);
  // Only the one it is meant for decides when the body flows.
  body.pause();
  body.on('end', () => copy.end());
  body.on('close', () => {
    if (!body.readableEnded) copy.destroy();
  });
  return copy;
}
