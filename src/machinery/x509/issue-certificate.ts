import { X509Certificate, createHash, createPrivateKey, randomBytes, sign } from 'node:crypto';
import type { CertificateRequest } from './certificate-request.ts';
import {
  type Der,
  DerError,
  children,
  derTag,
  readDer,
  readOid,
  writeDer,
  writeOid,
  writeTime,
} from './der.ts';
import { readPem, writePem } from './pem.ts';

/** An authority's certificate and private key, PEM. The key is of a NIST curve or RSA. */
export interface Authority {
  readonly cert: string;
  readonly key: string;
}

export interface Issuance {
  readonly request: Pick<CertificateRequest, 'subject' | 'publicKey' | 'alternativeNames'>;
  /** Kubernetes' names of usages: `digital signature`, `client auth`. */
  readonly usages: readonly string[];
  /** Milliseconds since the epoch; the certificate never outlives its authority. */
  readonly notBefore: number;
  readonly notAfter: number;
}

const bitOf: Readonly<Record<string, number>> = {
  signing: 0,
  'digital signature': 0,
  'content commitment': 1,
  'key encipherment': 2,
  'data encipherment': 3,
  'key agreement': 4,
  'cert sign': 5,
  'crl sign': 6,
  'encipher only': 7,
  'decipher only': 8,
};

const purposes: Readonly<Record<string, string>> = {
  any: '2.5.29.37.0',
  'server auth': '1.3.6.1.5.5.7.3.1',
  'client auth': '1.3.6.1.5.5.7.3.2',
  'code signing': '1.3.6.1.5.5.7.3.3',
  'email protection': '1.3.6.1.5.5.7.3.4',
  's/mime': '1.3.6.1.5.5.7.3.4',
  'ipsec end system': '1.3.6.1.5.5.7.3.5',
  'ipsec tunnel': '1.3.6.1.5.5.7.3.6',
  'ipsec user': '1.3.6.1.5.5.7.3.7',
  timestamping: '1.3.6.1.5.5.7.3.8',
  'ocsp signing': '1.3.6.1.5.5.7.3.9',
  'microsoft sgc': '1.3.6.1.4.1.311.10.3.3',
  'netscape sgc': '2.16.840.1.113730.4.1',
};

const subjectKeyIdentifier = '2.5.29.14';

/** Issues a certificate (RFC 5280) for what a request asks for; PEM. */
export function issueCertificate(authority: Authority, issuance: Issuance): string {
  const { request, notBefore, notAfter } = issuance;
  const ca = readAuthority(authority.cert);
  return sealed(authority.key, {
    issuer: ca.subject,
    subject: request.subject,
    publicKey: request.publicKey,
    notBefore,
    notAfter: Math.min(notAfter, Date.parse(new X509Certificate(authority.cert).validTo)),
    extensions: extensions(issuance, ca.keyIdentifier),
  });
}

/** What an authority of its own certifies of itself. */
export interface SelfIssuance extends Pick<Issuance, 'notBefore' | 'notAfter'> {
  /** A `Name`, DER. */
  readonly subject: Buffer;
  /** A `SubjectPublicKeyInfo`, DER. */
  readonly publicKey: Buffer;
  /** PEM. */
  readonly key: string;
}

/** The certificate of an authority that nobody else vouches for; PEM. */
export function issueAuthority({ subject, publicKey, key, notBefore, notAfter }: SelfIssuance): string {
  const [, bits] = children(readDer(publicKey), derTag.sequence);
  const identifier = createHash('sha1')
    .update(bits?.content.subarray(1) ?? publicKey)
    .digest();
  const isAuthority = writeDer(derTag.sequence, writeDer(derTag.boolean, Buffer.from([0xff])));
  return sealed(key, {
    issuer: subject,
    subject,
    publicKey,
    notBefore,
    notAfter,
    extensions: [
      extension('2.5.29.15', 'critical', keyUsage([0, 5, 6])),
      extension('2.5.29.19', 'critical', isAuthority),
      extension(subjectKeyIdentifier, 'informative', writeDer(derTag.octetString, identifier)),
    ],
  });
}

interface Contents extends Pick<Issuance, 'notBefore' | 'notAfter'> {
  readonly issuer: Buffer;
  readonly subject: Buffer;
  readonly publicKey: Buffer;
  readonly extensions: readonly Buffer[];
}

function sealed(pem: string, contents: Contents): string {
  const key = createPrivateKey(pem);
  const isRsa = key.asymmetricKeyType === 'rsa';
  const algorithm = isRsa
    ? writeDer(derTag.sequence, writeOid('1.2.840.113549.1.1.11'), Buffer.from([0x05, 0x00]))
    : writeDer(derTag.sequence, writeOid('1.2.840.10045.4.3.2'));
  const body = writeDer(
    derTag.sequence,
    writeDer(0xa0, writeDer(derTag.integer, Buffer.from([2]))),
    writeDer(derTag.integer, serial()),
    algorithm,
    contents.issuer,
    writeDer(derTag.sequence, writeTime(contents.notBefore), writeTime(contents.notAfter)),
    contents.subject,
    contents.publicKey,
    writeDer(0xa3, writeDer(derTag.sequence, ...contents.extensions)),
  );
  const signature = Buffer.concat([Buffer.from([0]), sign('sha256', body, key)]);
  return writePem(
    'CERTIFICATE',
    writeDer(derTag.sequence, body, algorithm, writeDer(derTag.bitString, signature)),
  );
}

/** A positive number of 127 random bits without a leading zero byte. */
function serial(): Buffer {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes;
}

function readAuthority(cert: string): { readonly subject: Buffer; readonly keyIdentifier?: Buffer } {
  const [first] = readPem(cert);
  if (!first) throw new DerError('the authority is no PEM certificate');
  const [body] = children(readDer(first.bytes), derTag.sequence);
  const parts = children(body, derTag.sequence);
  const subject = parts[5];
  if (!subject) throw new DerError('the authority has no subject');
  const wrapped = parts.find(({ tag }) => tag === 0xa3);
  const list: readonly Der[] = wrapped ? children(readDer(wrapped.content), derTag.sequence) : [];
  const found = list.find((extension) => {
    const [type] = children(extension, derTag.sequence);
    return type !== undefined && readOid(type) === subjectKeyIdentifier;
  });
  const value = found && children(found, derTag.sequence).at(-1);
  return {
    subject: subject.raw,
    ...(value ? { keyIdentifier: readDer(value.content).content } : {}),
  };
}

function extension(type: string, critical: 'critical' | 'informative', value: Buffer): Buffer {
  const flag = critical === 'critical' ? [writeDer(derTag.boolean, Buffer.from([0xff]))] : [];
  return writeDer(derTag.sequence, writeOid(type), ...flag, writeDer(derTag.octetString, value));
}

function extensions({ request, usages }: Issuance, authorityKey: Buffer | undefined): Buffer[] {
  const bits = usages.flatMap((usage) => bitOf[usage] ?? []);
  const allowed = usages.flatMap((usage) => purposes[usage] ?? []);
  const found: Buffer[] = [];
  if (bits.length > 0) found.push(extension('2.5.29.15', 'critical', keyUsage(bits)));
  if (allowed.length > 0) {
    const list = writeDer(derTag.sequence, ...[...new Set(allowed)].map(writeOid));
    found.push(extension('2.5.29.37', 'informative', list));
  }
  found.push(extension('2.5.29.19', 'critical', writeDer(derTag.sequence)));
  if (authorityKey) {
    const identifier = writeDer(derTag.sequence, writeDer(0x80, authorityKey));
    found.push(extension('2.5.29.35', 'informative', identifier));
  }
  if (request.alternativeNames) found.push(request.alternativeNames);
  return found;
}

/** A bit string without trailing zero bits, the first bit the highest. */
function keyUsage(bits: readonly number[]): Buffer {
  const last = Math.max(...bits);
  const bytes = Buffer.alloc(Math.floor(last / 8) + 1);
  for (const bit of bits) {
    const index = Math.floor(bit / 8);
    bytes[index] = (bytes[index] ?? 0) | (0x80 >> (bit % 8));
  }
  return writeDer(derTag.bitString, Buffer.from([7 - (last % 8)]), bytes);
}
