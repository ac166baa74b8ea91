import workerThreads from 'node:worker_threads';
import zlib from 'node:zlib';

/** The official JavaScript client; its HTTP library looks for functions of Node.js 22 while it loads. */
export function loadJavaScriptClient(): Promise<typeof import('@kubernetes/client-node')> {
  for (const [module, name] of [
    [zlib, 'createZstdDecompress'],
    [workerThreads, 'markAsUncloneable'],
  ] as const) {
    if (!(name in module)) Object.assign(module, { [name]: () => undefined });
  }
  return import('@kubernetes/client-node');
}
