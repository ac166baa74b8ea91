import { X509Certificate } from 'node:crypto';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { systemClock } from '../base/clock.ts';
import { FakeClock } from '../base/fake-clock.ts';
import { ensurePki } from './pki.ts';

let directory: string;
const names = { dns: ['kubernetes.default.svc', 'localhost'], ips: ['127.0.0.1', '10.96.0.1'] };

beforeEach(async () => (directory = await mkdtemp(join(tmpdir(), 'kanoe-pki-'))));
afterEach(async () => rm(directory, { recursive: true, force: true }));

it('signs every certificate with the authority and keeps them', async () => {
  const pki = await ensurePki(directory, names, systemClock);
  const ca = new X509Certificate(pki.ca.cert);
  for (const pair of [pki.server, pki.admin, pki.kubelet, pki.kubeletClient])
    expect(new X509Certificate(pair.cert).verify(ca.publicKey)).toBe(true);
  expect(new X509Certificate(pki.admin.cert).subject).toBe('CN=kubernetes-admin\nO=system:masters');
  expect(new X509Certificate(pki.server.cert).checkIP('10.96.0.1')).toBe('10.96.0.1');
  expect((await stat(join(directory, 'ca.key'))).mode & 0o777).toBe(0o600);
  expect(await ensurePki(directory, names, systemClock)).toEqual(pki);
});

it('makes a server certificate anew for a new name, under the same authority', async () => {
  const before = await ensurePki(directory, names, systemClock);
  const after = await ensurePki(directory, { ...names, ips: [...names.ips, '10.244.0.1'] }, systemClock);
  expect(after.ca).toEqual(before.ca);
  expect(after.admin).toEqual(before.admin);
  expect(new X509Certificate(after.server.cert).checkIP('10.244.0.1')).toBe('10.244.0.1');
});

it('renews what ends within thirty days', async () => {
  const clock = new FakeClock();
  const before = await ensurePki(directory, names, clock);
  await clock.advance(340 * 86_400_000);
  const after = await ensurePki(directory, names, clock);
  expect(after.ca).toEqual(before.ca);
  expect(after.server.cert).not.toBe(before.server.cert);
});
