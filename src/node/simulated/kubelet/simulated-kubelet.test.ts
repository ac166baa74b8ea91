import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { pods, type Pod } from '../../../api/core/v1.gen.ts';
import { systemClock } from '../../../base/clock.ts';
import type { Live } from '../../../machinery/object.ts';
import { staticInformers } from '../../../reconcile/static-informers.ts';
import type { KubeletBackend } from '../../kubelet-server/kubelet-backend.ts';
import { createSimulatedKubelet } from './simulated-kubelet.ts';

const metadata = { uid: 'u', resourceVersion: '1', creationTimestamp: '2026-01-01T00:00:00Z' };
const pod: Live<Pod> = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { ...metadata, name: 'p', namespace: 'default' },
  spec: { containers: [{ name: 'c' }] },
};

function kubelet(...commands: readonly (readonly [port: number, script: string])[]): KubeletBackend {
  const forwards = commands.map(([port, script]) => ({ ports: [port], command: ['sh', '-c', script] }));
  const forward = {
    apiVersion: 'kwok.x-k8s.io/v1alpha1',
    kind: 'PortForward',
    metadata: { ...metadata, name: 'p', namespace: 'default' },
    spec: { forwards },
  };
  const informers = staticInformers([pod, forward]);
  return createSimulatedKubelet({
    informers,
    pods: informers.for(pods),
    clock: systemClock,
    searchPath: '/usr/bin:/bin',
  });
}

describe('a connection to a command', () => {
  it('carries what it reads and writes', async () => {
    const connection = await kubelet([80, 'tr a-z A-Z']).runtime.connectPort('default/p/', 80);
    connection.end('hello');
    expect(await text(connection)).toBe('HELLO');
  });

  it('ends with the command, whatever still comes', async () => {
    const connection = await kubelet([80, 'echo done']).runtime.connectPort('default/p/', 80);
    const read: string[] = [];
    connection.on('data', (chunk: Buffer) => read.push(chunk.toString()));
    await once(connection, 'end');
    expect(read.join('')).toBe('done\n');
    await new Promise<void>((resolve, reject) =>
      connection.write('late', (error) => (error ? reject(error) : resolve())),
    );
    connection.end();
  });

  it('is refused for a port that none of the entries has', async () => {
    await expect(kubelet([80, 'true']).runtime.connectPort('default/p/', 81)).rejects.toThrow(
      'no forward target found for port 81 of pod "default/p"',
    );
  });
});
