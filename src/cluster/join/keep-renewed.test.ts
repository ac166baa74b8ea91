import { X509Certificate } from 'node:crypto';
import { expect, it, vi } from 'vitest';
import { FakeClock } from '../../base/fake-clock.ts';
import { selfSignedPair, type KeyPair } from '../pki.ts';
import { keepRenewed } from './keep-renewed.ts';
import { renewalTime } from './node-certificates.ts';

it('asks for a new certificate after four fifths of the life of the old one, again and again', async () => {
  const clock = new FakeClock();
  const ended = new AbortController();
  const made = (): Promise<KeyPair> => selfSignedPair({ name: 'n', addresses: ['192.0.2.1'], clock });
  const used: KeyPair[] = [];
  const said: string[] = [];
  let refusals = 1;
  const first = await made();
  const running = keepRenewed({
    pair: first,
    what: 'the certificate',
    clock,
    signal: ended.signal,
    async request() {
      refusals -= 1;
      if (refusals >= 0) throw new Error('not now');
      return made();
    },
    use: (pair) => void used.push(pair),
    say: (line) => void said.push(line),
  });
  await clock.advance(renewalTime(first.cert) - clock.now() - 1);
  expect(said).toEqual([]);
  await clock.advance(1);
  expect(said).toEqual(['the certificate could not be renewed: not now']);
  await clock.advance(10_000);
  await vi.waitFor(() => expect(said.at(1)).toBe('the certificate was renewed'), 10_000);
  expect(new X509Certificate(used[0]?.cert ?? '').serialNumber).not.toBe(
    new X509Certificate(first.cert).serialNumber,
  );
  ended.abort();
  await running;
});
