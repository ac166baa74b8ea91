import { generateKeyPair, X509Certificate } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { certificatesigningrequests } from '../../api/certificates/v1.gen.ts';
import { sleep, type Clock } from '../../base/clock.ts';
import type { Client } from '../../client/client.ts';
import { writeCertificateRequest, type RequestedSubject } from '../../machinery/x509/write-request.ts';
import { ClusterError } from '../cluster-error.ts';
import type { KeyPair } from '../pki.ts';

export interface RequestOptions {
  /** Whoever asks: with a bootstrap token, or as the node itself. */
  readonly client: Client;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly nodeName: string;
  readonly purpose:
    | { readonly kind: 'client' }
    | { readonly kind: 'serving'; readonly dns: readonly string[]; readonly ips: readonly string[] };
  readonly lifetimeSeconds?: number;
}

const pollMs = 200;
const patienceMs = 60_000;

/**
 * Asks the cluster to certify a new key of a node and waits until it is signed. Throws `FAILED` when it is denied, or not
 * approved in a minute.
 */
export async function requestCertificate(options: RequestOptions): Promise<KeyPair> {
  const { client, clock, signal, nodeName, purpose, lifetimeSeconds } = options;
  const { privateKey } = await promisify(generateKeyPair)('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'der' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  const wanted: RequestedSubject = {
    subject: [
      ['O', 'system:nodes'],
      ['CN', `system:node:${nodeName}`],
    ],
    ...(purpose.kind === 'serving' && { dns: purpose.dns, ips: purpose.ips }),
  };
  const requests = client.for(certificatesigningrequests);
  const { metadata } = await requests.create({
    apiVersion: 'certificates.k8s.io/v1',
    kind: 'CertificateSigningRequest',
    metadata: { generateName: 'csr-' },
    spec: {
      request: Buffer.from(writeCertificateRequest(wanted, privateKey)).toString('base64'),
      signerName:
        purpose.kind === 'client'
          ? 'kubernetes.io/kube-apiserver-client-kubelet'
          : 'kubernetes.io/kubelet-serving',
      usages: ['digital signature', purpose.kind === 'client' ? 'client auth' : 'server auth'],
      ...(lifetimeSeconds !== undefined && { expirationSeconds: lifetimeSeconds }),
    },
  });
  const deadline = clock.monotonic() + patienceMs;
  for (;;) {
    const { status } = await requests.get({ name: metadata.name }, { signal });
    if (status?.certificate)
      return { cert: Buffer.from(status.certificate, 'base64').toString(), key: privateKey };
    const refused = status?.conditions?.find(({ type }) => type === 'Denied' || type === 'Failed');
    if (refused)
      throw new ClusterError(
        'FAILED',
        `certificate request ${metadata.name} was refused: ${refused.message ?? refused.reason ?? refused.type}`,
      );
    if (clock.monotonic() > deadline)
      throw new ClusterError(
        'FAILED',
        `nobody approved certificate request ${metadata.name}; \`kubectl certificate approve ${metadata.name}\` does`,
      );
    await sleep(clock, pollMs, signal);
  }
}

/** When a certificate is to be replaced: after four fifths of its life; milliseconds since the epoch. */
export function renewalTime(cert: string): number {
  const { validFrom, validTo } = new X509Certificate(cert);
  const begin = Date.parse(validFrom);
  return begin + (Date.parse(validTo) - begin) * 0.8;
}

/** A pair in files `NAME.crt` and `NAME.key`; undefined when there is none, or it has ended. */
export async function readPair(directory: string, name: string, now: number): Promise<KeyPair | undefined> {
  try {
    const [cert, key] = await Promise.all([
      readFile(join(directory, `${name}.crt`), 'utf8'),
      readFile(join(directory, `${name}.key`), 'utf8'),
    ]);
    return Date.parse(new X509Certificate(cert).validTo) > now ? { cert, key } : undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Replaces a pair in its files, the key first; mode 0600. */
export async function writePair(directory: string, name: string, pair: KeyPair): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  for (const [ending, text] of [
    ['key', pair.key],
    ['crt', pair.cert],
  ] as const) {
    const file = join(directory, `${name}.${ending}`);
    await writeFile(`${file}.tmp`, text, { mode: 0o600 });
    await rename(`${file}.tmp`, file);
  }
}
