import { encodeObject } from '../src/machinery/schema/encode-object.ts';
import { kubernetesSchema } from '../src/machinery/schema/table.ts';
import { configmaps } from '../src/api/core/v1.gen.ts';
import { systemClock } from '../src/base/clock.ts';
import { createClient } from '../src/client/create-client.ts';
import { createInformers } from '../src/reconcile/create-informers.ts';
import type { Store } from '../src/storage/kv.ts';
import { best, row, startBenchApiServer } from './bench-api-server.ts';
import type { BenchRow } from './bench-row.ts';

export const name = 'lists: config maps of 1 KB, over HTTPS';

const OBJECTS = 50_000;
const namespaces = [1_000, 10_000, 50_000] as const;

/** LISTs of 1,000, 10,000 and 50,000 objects, beside a bare `node:https` server that sends the same bytes, and the first sync of an informer. */
export async function run(report: (row: BenchRow) => void): Promise<void> {
  const api = await startBenchApiServer(seed);
  try {
    for (const size of namespaces) {
      const path = `/api/v1/configmaps?limit=${size}`;
      api.echo.answer(await api.send('GET', path));
      const count = Math.max(2, 20_000 / size);
      const [limit, value] = await best([
        { count, once: () => api.bare('GET', path) },
        { count, once: () => api.send('GET', path) },
      ]);
      report({ ...row(`LISTs of ${size.toLocaleString('en')}`, 0), value: value ?? 0, limit: limit ?? 0 });
    }
    const client = createClient(api.server.transport({ name: 'bench', groups: ['system:masters'] }));
    const informers = createInformers(client, { clock: systemClock });
    informers.for(configmaps);
    const start = systemClock.monotonic();
    informers.start();
    await informers.synced();
    report({
      what: `first sync of an informer in the process, ${OBJECTS.toLocaleString('en')} objects`,
      value: systemClock.monotonic() - start,
      unit: 'ms',
    });
    await informers.stop();
  } finally {
    await api.stop();
  }
}

async function seed(store: Store): Promise<void> {
  const schema = { table: kubernetesSchema(), message: 'io.k8s.api.core.v1.ConfigMap' };
  const writes = Array.from({ length: OBJECTS }, (_, at) => {
    const metadata = {
      name: `object-${String(at).padStart(6, '0')}`,
      namespace: 'default',
      uid: `00000000-0000-4000-8000-${String(at).padStart(12, '0')}`,
      creationTimestamp: '2026-01-01T00:00:00Z',
      labels: { app: 'bench' },
    };
    const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { value: 'x'.repeat(800) } };
    return store.create(
      `/registry/core/configmaps/default/${metadata.name}`,
      Buffer.from(encodeObject(object, schema)),
    );
  });
  await Promise.all(writes);
}
