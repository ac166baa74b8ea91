import workerThreads from 'node:worker_threads';
import zlib from 'node:zlib';

function withResolvers<T>(): object {
  const parts: Record<string, unknown> = {};
  parts['promise'] = new Promise<T>((resolve, reject) => Object.assign(parts, { resolve, reject }));
  return parts;
}

/** The official JavaScript client; its HTTP library needs functions that Node.js 20 does not have. */
export function loadJavaScriptClient(): Promise<typeof import('@kubernetes/client-node')> {
  for (const [holder, name, value] of [
    [zlib, 'createZstdDecompress', () => undefined],
    [workerThreads, 'markAsUncloneable', () => undefined],
    [Promise, 'withResolvers', withResolvers],
  ] as const) {
    if (!(name in holder)) Object.assign(holder, { [name]: value });
  }
  return import('@kubernetes/client-node');
}
