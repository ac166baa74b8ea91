import { generateKeyPairSync } from 'node:crypto';
import { builtinResources } from '../api/catalog.ts';
import { systemClock } from '../base/clock.ts';
import { kubernetesSchema } from '../machinery/schema/table.ts';
import { createMemoryStore } from '../storage/memory/memory-store.ts';
import { createApiServer, type ApiServer, type ApiServerOptions } from './api-server.ts';

/** A real API server with all resources and its objects in memory, listening nowhere; for tests. Faults are thrown. */
export function createTestApiServer(
  changes: Partial<Pick<ApiServerOptions, 'store' | 'clock' | 'metrics' | 'resources'>> = {},
): Promise<ApiServer> {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return createApiServer({
    store: createMemoryStore({ clock: systemClock }),
    schema: kubernetesSchema(),
    clock: systemClock,
    resources: (needs) => builtinResources({ ...needs, serviceCidr: '10.96.0.0/16' }),
    tls: { cert: '', key: '', clientCa: '' },
    serviceAccount: {
      issuer: 'https://kubernetes.default.svc.cluster.local',
      signingKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    },
    version: { gitVersion: 'v1.36.2' },
    onFault(error) {
      throw error;
    },
    ...changes,
  });
}
