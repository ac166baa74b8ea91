import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { KubeletBackend } from './kubelet-backend.ts';
import type { ContainerTarget } from './kubelet-path.ts';

interface LogRequest {
  readonly agent: KubeletBackend;
  readonly target: ContainerTarget;
  readonly query: URLSearchParams;
}

/** Streams a container's log as text. Throws before the first byte when there is none. */
export async function serveLogs(
  response: ServerResponse,
  { agent, target, query }: LogRequest,
): Promise<void> {
  const number = (name: string): number | undefined =>
    query.has(name) ? Number(query.get(name)) : undefined;
  const flag = (name: string): boolean => ['true', '1'].includes(query.get(name) ?? '');
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  const [tailLines, sinceSeconds, limitBytes] = [
    number('tailLines'),
    number('sinceSeconds'),
    number('limitBytes'),
  ];
  const sinceTime = query.get('sinceTime');
  const source = agent.logs({
    namespace: target.namespace,
    pod: target.pod,
    container: target.container,
    follow: flag('follow'),
    previous: flag('previous'),
    timestamps: flag('timestamps'),
    ...(tailLines !== undefined && { tailLines }),
    ...(sinceSeconds !== undefined && { sinceSeconds }),
    ...(limitBytes !== undefined && { limitBytes }),
    ...(sinceTime !== null && { sinceTime }),
    signal: gone.signal,
  });
  const log = source[Symbol.asyncIterator]();
  const first = log.next();
  // A follower of a silent container has its answer before the first line; what is wrong is known before that.
  await Promise.race([first, new Promise<void>((resolve) => void setImmediate(resolve))]);
  response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' });
  response.flushHeaders();
  const lines = async function* (): AsyncGenerator<Buffer> {
    for (let item = await first; !item.done; item = await log.next()) yield item.value;
  };
  await pipeline(Readable.from(lines()), response).catch((error: unknown) => {
    if (!gone.signal.aborted) throw error;
  });
}
