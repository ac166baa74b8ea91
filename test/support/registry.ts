import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { eventually } from './eventually.ts';
import { must, start } from './run.ts';

/** A docker-registry on loopback. */
export interface Registry {
  /** `http://127.0.0.1:PORT`. */
  readonly url: string;
  /** Copies an OCI archive into it under `repository:tag`. */
  push(archive: string, reference: string): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a registry that keeps its blobs in `directory`, which goes with it. */
export async function startRegistry(directory: string): Promise<Registry> {
  const port = await freePort();
  mkdirSync(directory, { recursive: true });
  const config = join(directory, 'config.yml');
  const storage = { filesystem: { rootdirectory: join(directory, 'blobs') }, delete: { enabled: true } };
  writeFileSync(
    config,
    JSON.stringify({ version: 0.1, log: { level: 'warn' }, storage, http: { addr: `127.0.0.1:${port}` } }),
  );
  const url = `http://127.0.0.1:${port}`;
  const server = start('docker-registry', ['serve', config]);
  await eventually(async () => {
    const { ok } = await fetch(`${url}/v2/`);
    if (!ok) throw new Error(`the registry does not answer:\n${server.output()}`);
  });
  return {
    url,
    async push(archive, reference) {
      const to = `docker://127.0.0.1:${port}/${reference}`;
      await must('skopeo', ['copy', '--quiet', '--dest-tls-verify=false', `oci-archive:${archive}`, to]);
    },
    async stop() {
      await server.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** A port of 127.0.0.1 that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}
