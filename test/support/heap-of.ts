import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { WebSocket } from 'ws';

/** What a Node.js process must be started with for {@link heapOf}. */
export const inspectable: Readonly<Record<string, string>> = {
  NODE_OPTIONS: '--inspect-port=127.0.0.1:0',
};

/** Bytes of a process' JavaScript heap that are in use after a full garbage collection; `log` is where its standard error goes. */
export async function heapOf(pid: number, log: string): Promise<number> {
  if (!inspectorOf(log)) process.kill(pid, 'SIGUSR1');
  while (!inspectorOf(log)) await delay(20);
  const socket = new WebSocket(inspectorOf(log) ?? '');
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  try {
    await call(socket, 'HeapProfiler.collectGarbage');
    await call(socket, 'HeapProfiler.collectGarbage');
    const { usedSize } = (await call(socket, 'Runtime.getHeapUsage')) as { readonly usedSize: number };
    return usedSize;
  } finally {
    socket.close();
  }
}

function inspectorOf(log: string): string | undefined {
  return /Debugger listening on (ws:\S+)/.exec(readFileSync(log, 'utf8'))?.[1];
}

function call(socket: WebSocket, method: string): Promise<unknown> {
  return new Promise((resolve) => {
    socket.once('message', (text: Buffer) =>
      resolve((JSON.parse(text.toString()) as { readonly result: unknown }).result),
    );
    socket.send(JSON.stringify({ id: 1, method }));
  });
}
