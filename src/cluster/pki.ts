import { X509Certificate, createPrivateKey, generateKeyPairSync, randomBytes } from 'node:crypto';
import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { webcrypto } from 'node:crypto';
import type { Clock } from '../base/clock.ts';

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

interface LeafSpec {
  readonly subject: string;
  readonly usage: 'serverAuth' | 'clientAuth';
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
  const authority = async (name: string, subject: string): Promise<KeyPair> =>
    (await readPair(directory, name)) ?? (await makeAuthority(directory, name, { subject, clock }));
  const [ca, frontProxyCa] = await Promise.all([
    authority('ca', 'CN=kubernetes'),
    authority('front-proxy-ca', 'CN=front-proxy-ca'),
  ]);
  const leaf = async (name: string, spec: LeafSpec, signer: KeyPair = ca): Promise<KeyPair> => {
    const existing = await readPair(directory, name);
    if (existing && isUsable(existing, signer, spec, clock)) return existing;
    return makeLeaf(directory, name, { ca: signer, spec, clock });
  };
  const [server, admin, kubeletClient, kubelet, frontProxyClient] = await Promise.all([
    leaf('apiserver', { subject: 'CN=kube-apiserver', usage: 'serverAuth', ...names }),
    leaf('admin', { subject: 'CN=kubernetes-admin,O=system:masters', usage: 'clientAuth' }),
    leaf('apiserver-kubelet-client', {
      subject: 'CN=kube-apiserver-kubelet-client,O=system:masters',
      usage: 'clientAuth',
    }),
    leaf('kubelet', {
      subject: 'CN=system:node,O=system:nodes',
      usage: 'serverAuth',
      dns: ['localhost'],
      ips: ['127.0.0.1'],
    }),
    leaf('front-proxy-client', { subject: 'CN=front-proxy-client', usage: 'clientAuth' }, frontProxyCa),
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

/** The certificate library is loaded only when something must be signed. */
async function loadX509(): Promise<typeof import('@peculiar/x509')> {
  await import('reflect-metadata');
  const x509 = await import('@peculiar/x509');
  x509.cryptoProvider.set(globalThis.crypto);
  return x509;
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

async function makeAuthority(
  directory: string,
  file: string,
  { subject, clock }: { readonly subject: string; readonly clock: Clock },
): Promise<KeyPair> {
  const x509 = await loadX509();
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serial(),
    name: subject,
    notBefore: new Date(clock.now() - dayMs),
    notAfter: new Date(clock.now() + caYears * 365 * dayMs),
    signingAlgorithm: algorithm,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(
        x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign,
        true,
      ),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return save(directory, file, { cert: certificate.toString('pem'), key: await privatePem(keys.privateKey) });
}

async function makeLeaf(
  directory: string,
  name: string,
  { ca, spec, clock }: { ca: KeyPair; spec: LeafSpec; clock: Clock },
): Promise<KeyPair> {
  const x509 = await loadX509();
  const authority = new x509.X509Certificate(ca.cert);
  const der = createPrivateKey(ca.key).export({ type: 'pkcs8', format: 'der' });
  const signingKey = await crypto.subtle.importKey('pkcs8', der, algorithm, false, ['sign']);
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const alternatives = [
    ...(spec.dns ?? []).map((value) => ({ type: 'dns' as const, value })),
    ...(spec.ips ?? []).map((value) => ({ type: 'ip' as const, value })),
  ];
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serial(),
    subject: spec.subject,
    issuer: authority.subject,
    notBefore: new Date(clock.now() - dayMs),
    notAfter: new Date(clock.now() + leafDays * dayMs),
    signingAlgorithm: algorithm,
    publicKey: keys.publicKey,
    signingKey,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([
        spec.usage === 'serverAuth' ? x509.ExtendedKeyUsage.serverAuth : x509.ExtendedKeyUsage.clientAuth,
      ]),
      await x509.AuthorityKeyIdentifierExtension.create(authority),
      ...(alternatives.length > 0 ? [new x509.SubjectAlternativeNameExtension(alternatives)] : []),
    ],
  });
  return save(directory, name, { cert: certificate.toString('pem'), key: await privatePem(keys.privateKey) });
}

async function save(directory: string, name: string, pair: KeyPair): Promise<KeyPair> {
  const complete = { cert: pair.cert.endsWith('\n') ? pair.cert : `${pair.cert}\n`, key: pair.key };
  await writeSecret(join(directory, `${name}.key`), complete.key);
  await writeSecret(join(directory, `${name}.crt`), complete.cert);
  return complete;
}

async function privatePem(key: webcrypto.CryptoKey): Promise<string> {
  const der = Buffer.from(await crypto.subtle.exportKey('pkcs8', key));
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN PRIVATE KEY-----\n${lines.join('\n')}\n-----END PRIVATE KEY-----\n`;
}

/** 127 random bits, positive and without a leading zero byte. */
function serial(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes.toString('hex');
}
