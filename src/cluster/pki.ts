import { X509Certificate, generateKeyPair, generateKeyPairSync } from 'node:crypto';
import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Clock } from '../base/clock.ts';
import { issueAuthority, issueCertificate } from '../machinery/x509/issue-certificate.ts';
import { writeAlternativeNames, writeName } from '../machinery/x509/write-names.ts';

/** A certificate with its private key, both PEM. */
export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

/** Everything that a cluster signs with or is known by. */
export interface Pki {
  /** The cluster's certificate authority, PEM. */
  readonly ca: KeyPair;
  /** The API server's serving certificate. */
  readonly server: KeyPair;
  /** `kubernetes-admin` of group `system:masters`, as kubeadm names it. */
  readonly admin: KeyPair;
  /** With which the API server shows itself to kubelets. */
  readonly kubeletClient: KeyPair;
  /** The serving certificate of this machine's kubelet endpoints. */
  readonly kubelet: KeyPair;
  /** The authority of front proxies: who shows a certificate of it may say on whose behalf it asks. */
  readonly frontProxyCa: KeyPair;
  /** With which the API server shows itself to extension API servers. */
  readonly frontProxyClient: KeyPair;
  /** Signs service-account tokens: P-256, PKCS #8 PEM. */
  readonly serviceAccountKey: string;
}

type Subject = Parameters<typeof writeName>[0];

interface LeafSpec {
  readonly subject: Subject;
  readonly usage: 'server auth' | 'client auth';
  readonly dns?: readonly string[];
  readonly ips?: readonly string[];
}

const caYears = 10;
const leafDays = 365;
/** A leaf is made anew this long before it ends. */
const renewBeforeMs = 30 * 86_400_000;
const dayMs = 86_400_000;

/**
 * The keys and certificates in `directory`, made where they are missing, about to expire, or lack a name of `names`. Keys are
 * P-256; files are 0600 in a directory of mode 0700, each written whole. The authority is never made anew by itself.
 */
export async function ensurePki(
  directory: string,
  names: { readonly dns: readonly string[]; readonly ips: readonly string[] },
  clock: Clock,
): Promise<Pki> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await chmod(directory, 0o700);
  const authority = async (name: string, subject: Subject): Promise<KeyPair> =>
    (await readPair(directory, name)) ?? (await makeAuthority(directory, name, { subject, clock }));
  const [ca, frontProxyCa] = await Promise.all([
    authority('ca', [['CN', 'kubernetes']]),
    authority('front-proxy-ca', [['CN', 'front-proxy-ca']]),
  ]);
  const leaf = async (name: string, spec: LeafSpec, signer: KeyPair = ca): Promise<KeyPair> => {
    const existing = await readPair(directory, name);
    if (existing && isUsable(existing, signer, spec, clock)) return existing;
    return makeLeaf(directory, name, { ca: signer, spec, clock });
  };
  const [server, admin, kubeletClient, kubelet, frontProxyClient] = await Promise.all([
    leaf('apiserver', { subject: [['CN', 'kube-apiserver']], usage: 'server auth', ...names }),
    leaf('admin', {
      subject: [
        ['CN', 'kubernetes-admin'],
        ['O', 'system:masters'],
      ],
      usage: 'client auth',
    }),
    leaf('apiserver-kubelet-client', {
      subject: [
        ['CN', 'kube-apiserver-kubelet-client'],
        ['O', 'system:masters'],
      ],
      usage: 'client auth',
    }),
    leaf('kubelet', {
      subject: [
        ['CN', 'system:node'],
        ['O', 'system:nodes'],
      ],
      usage: 'server auth',
      dns: ['localhost'],
      ips: ['127.0.0.1'],
    }),
    leaf(
      'front-proxy-client',
      { subject: [['CN', 'front-proxy-client']], usage: 'client auth' },
      frontProxyCa,
    ),
  ]);
  return {
    ca,
    server,
    admin,
    kubeletClient,
    kubelet,
    frontProxyCa,
    frontProxyClient,
    serviceAccountKey: await serviceAccountKey(directory),
  };
}

/** A certificate, not kept anywhere, by which a node's kubelet is known at its name and addresses. */
export async function nodeServingPair(
  ca: KeyPair,
  node: { readonly name: string; readonly addresses: readonly string[]; readonly clock: Clock },
): Promise<KeyPair> {
  return issueLeaf({
    ca,
    clock: node.clock,
    spec: {
      subject: [
        ['CN', `system:node:${node.name}`],
        ['O', 'system:nodes'],
      ],
      usage: 'server auth',
      dns: [node.name, 'localhost'],
      ips: [...new Set(['127.0.0.1', ...node.addresses])],
    },
  });
}

/** As {@link nodeServingPair}, by an authority that nobody knows. */
export async function selfSignedPair(node: Parameters<typeof nodeServingPair>[1]): Promise<KeyPair> {
  const { publicKey, privateKey: key } = await newKey();
  const now = node.clock.now();
  const cert = issueAuthority({
    subject: writeName([['CN', `${node.name}-ca`]]),
    publicKey,
    key,
    notBefore: now - dayMs,
    notAfter: now + leafDays * dayMs,
  });
  return nodeServingPair({ cert, key }, node);
}

async function readPair(directory: string, name: string): Promise<KeyPair | undefined> {
  const [cert, key] = await Promise.all([
    readText(join(directory, `${name}.crt`)),
    readText(join(directory, `${name}.key`)),
  ]);
  return cert !== undefined && key !== undefined ? { cert, key } : undefined;
}

async function readText(file: string): Promise<string | undefined> {
  return readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
}

async function writeSecret(file: string, text: string): Promise<void> {
  await writeFile(`${file}.tmp`, text, { mode: 0o600 });
  await rename(`${file}.tmp`, file);
}

async function serviceAccountKey(directory: string): Promise<string> {
  const file = join(directory, 'sa.key');
  const existing = await readText(file);
  if (existing !== undefined) return existing;
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  await writeSecret(file, pem);
  return pem;
}

function isUsable(pair: KeyPair, ca: KeyPair, spec: LeafSpec, clock: Clock): boolean {
  const certificate = new X509Certificate(pair.cert);
  const authority = new X509Certificate(ca.cert);
  if (Date.parse(certificate.validTo) - clock.now() < renewBeforeMs) return false;
  if (!certificate.verify(authority.publicKey)) return false;
  const alternatives = certificate.subjectAltName ?? '';
  const has = (kind: string, name: string): boolean => alternatives.split(', ').includes(`${kind}:${name}`);
  return (
    (spec.dns ?? []).every((name) => has('DNS', name)) &&
    (spec.ips ?? []).every((ip) => has('IP Address', ip))
  );
}

async function newKey(): Promise<{ readonly publicKey: Buffer; readonly privateKey: string }> {
  return promisify(generateKeyPair)('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'der' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
}

async function makeAuthority(
  directory: string,
  file: string,
  { subject, clock }: { readonly subject: Subject; readonly clock: Clock },
): Promise<KeyPair> {
  const { publicKey, privateKey } = await newKey();
  const cert = issueAuthority({
    subject: writeName(subject),
    publicKey,
    key: privateKey,
    notBefore: clock.now() - dayMs,
    notAfter: clock.now() + caYears * 365 * dayMs,
  });
  return save(directory, file, { cert, key: privateKey });
}

async function makeLeaf(directory: string, name: string, leaf: Leaf): Promise<KeyPair> {
  return save(directory, name, await issueLeaf(leaf));
}

interface Leaf {
  readonly ca: KeyPair;
  readonly spec: LeafSpec;
  readonly clock: Clock;
}

async function issueLeaf({ ca, spec, clock }: Leaf): Promise<KeyPair> {
  const { publicKey, privateKey } = await newKey();
  const { subject, usage, dns = [], ips = [] } = spec;
  const named = dns.length + ips.length > 0;
  const cert = issueCertificate(ca, {
    request: {
      subject: writeName(subject),
      publicKey,
      ...(named && { alternativeNames: writeAlternativeNames(dns, ips) }),
    },
    usages: ['digital signature', usage],
    notBefore: clock.now() - dayMs,
    notAfter: clock.now() + leafDays * dayMs,
  });
  return { cert, key: privateKey };
}

async function save(directory: string, name: string, pair: KeyPair): Promise<KeyPair> {
  await writeSecret(join(directory, `${name}.key`), pair.key);
  await writeSecret(join(directory, `${name}.crt`), pair.cert);
  return pair;
}
