import { createServer } from 'node:http';
import { afterEach, expect, it } from 'vitest';
import { HealthCheckPorts } from './health-check-ports.ts';
import { randomNodePort } from './testing/pod-lab.ts';

const conflicts: string[] = [];
const ports = new HealthCheckPorts({
  host: '127.0.0.1',
  onConflict: (key, port) => conflicts.push(`${key} ${port}`),
});

afterEach(() => ports.close());

async function ask(port: number): Promise<unknown> {
  const answer = await fetch(`http://127.0.0.1:${port}/healthz`).catch(() => undefined);
  if (!answer) return 'refused';
  const weight = answer.headers.get('x-load-balancing-endpoint-weight');
  return [answer.status, weight, await answer.json()];
}

it('says how many endpoints a service has here', async () => {
  const port = randomNodePort();
  const said = (localEndpoints: number) => ({
    service: { namespace: 'default', name: 'web' },
    localEndpoints,
    serviceProxyHealthy: true,
  });
  ports.set('default/web', { port, localEndpoints: 2 });
  await expect.poll(() => ask(port)).toEqual([200, '2', said(2)]);
  ports.set('default/web', { port, localEndpoints: 0 });
  expect(await ask(port)).toEqual([503, '0', said(0)]);
  ports.set('default/web', undefined);
  expect(await ask(port)).toBe('refused');
});

it('reports a port that somebody else has', async () => {
  const other = createServer();
  const port = randomNodePort();
  await new Promise<void>((resolve) => other.listen(port, '127.0.0.1', resolve));
  ports.set('default/web', { port, localEndpoints: 1 });
  await expect.poll(() => conflicts).toEqual([`default/web ${port}`]);
  other.close();
});
