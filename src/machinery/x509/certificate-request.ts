import { constants, createPublicKey, verify } from 'node:crypto';
import { type Der, DerError, children, derTag, readAll, readDer, readOid } from './der.ts';
import { readPem } from './pem.ts';

/** What a PKCS #10 request asks for (RFC 2986). */
export interface CertificateRequest {
  /** The subject's name, DER. */
  readonly subject: Buffer;
  readonly commonName: string;
  readonly organizations: readonly string[];
  /** The public key's SubjectPublicKeyInfo, DER. */
  readonly publicKey: Buffer;
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly Buffer[];
  readonly emailAddresses: readonly string[];
  readonly uris: readonly string[];
  /** The whole subject alternative name extension, DER; undefined when there is none. */
  readonly alternativeNames?: Buffer;
}

/** Why a text is no request, in Go's words. */
export class CertificateRequestError extends Error {
  override readonly name = 'CertificateRequestError';
}

const commonName = '2.5.4.3';
const organization = '2.5.4.10';
const extensionRequest = '1.2.840.113549.1.9.14';
const alternativeName = '2.5.29.17';

/** Signature algorithms: how node:crypto names the digest, and the padding. */
const algorithms: Readonly<Record<string, { readonly digest: string | null; readonly failure: string }>> = {
  '1.2.840.113549.1.1.5': { digest: 'sha1', failure: 'crypto/rsa: verification error' },
  '1.2.840.113549.1.1.11': { digest: 'sha256', failure: 'crypto/rsa: verification error' },
  '1.2.840.113549.1.1.12': { digest: 'sha384', failure: 'crypto/rsa: verification error' },
  '1.2.840.113549.1.1.13': { digest: 'sha512', failure: 'crypto/rsa: verification error' },
  '1.2.840.10045.4.3.2': { digest: 'sha256', failure: 'x509: ECDSA verification failure' },
  '1.2.840.10045.4.3.3': { digest: 'sha384', failure: 'x509: ECDSA verification failure' },
  '1.2.840.10045.4.3.4': { digest: 'sha512', failure: 'x509: ECDSA verification failure' },
  '1.3.101.112': { digest: null, failure: 'x509: Ed25519 verification failure' },
};
const pss = '1.2.840.113549.1.1.10';

/** Reads a PEM request and checks its signature. Throws {@link CertificateRequestError}. */
export function parseCertificateRequest(pem: string): CertificateRequest {
  const [first] = readPem(pem);
  if (first?.type !== 'CERTIFICATE REQUEST') {
    throw new CertificateRequestError('PEM block type must be CERTIFICATE REQUEST');
  }
  try {
    return parse(first.bytes);
  } catch (error) {
    if (error instanceof DerError) throw new CertificateRequestError(error.message);
    throw error;
  }
}

function parse(bytes: Buffer): CertificateRequest {
  const outer = readDer(bytes);
  if (outer.raw.length !== bytes.length) throw new DerError('asn1: syntax error: trailing data');
  const [info, algorithm, signature] = children(outer, derTag.sequence);
  const [, subject, publicKey, attributes] = children(info, derTag.sequence);
  if (!info || !subject || !publicKey || !algorithm || !signature) {
    throw new DerError('asn1: syntax error: sequence truncated');
  }
  checkSignature({ info, algorithm, signature, publicKey });
  const names = readName(subject);
  return {
    subject: subject.raw,
    commonName: names.filter(([type]) => type === commonName).at(-1)?.[1] ?? '',
    organizations: names.filter(([type]) => type === organization).map(([, value]) => value),
    publicKey: publicKey.raw,
    ...readAlternatives(attributes),
  };
}

interface Signed {
  readonly info: Der;
  readonly algorithm: Der;
  readonly signature: Der;
  readonly publicKey: Der;
}

function checkSignature({ info, algorithm, signature, publicKey }: Signed): void {
  const [identifier] = children(algorithm, derTag.sequence);
  const oid = identifier ? readOid(identifier) : '';
  const known = algorithms[oid];
  if (!known && oid !== pss) {
    throw new CertificateRequestError('x509: cannot verify signature: algorithm unimplemented');
  }
  const value = signature.content.subarray(1);
  if (!verified(info.raw, publicKey.raw, { value, digest: known ? known.digest : 'sha256', oid })) {
    throw new CertificateRequestError(known?.failure ?? 'crypto/rsa: verification error');
  }
}

function verified(
  data: Buffer,
  spki: Buffer,
  { value, digest, oid }: { readonly value: Buffer; readonly digest: string | null; readonly oid: string },
): boolean {
  try {
    const key = createPublicKey({ key: spki, format: 'der', type: 'spki' });
    const padding = oid === pss ? { padding: constants.RSA_PKCS1_PSS_PADDING } : {};
    return verify(digest, data, { key, ...padding }, value);
  } catch {
    // OpenSSL refuses keys and signatures that are no such thing.
    return false;
  }
}

/** Attributes of a distinguished name, in order: type and value. */
export function readName(name: Der): (readonly [string, string])[] {
  return children(name, derTag.sequence).flatMap((set) =>
    children(set, derTag.set).map((attribute) => {
      const [type, value] = children(attribute, derTag.sequence);
      return [type ? readOid(type) : '', value?.content.toString('utf8') ?? ''] as const;
    }),
  );
}

type Alternatives = Pick<
  CertificateRequest,
  'dnsNames' | 'ipAddresses' | 'emailAddresses' | 'uris' | 'alternativeNames'
>;

function readAlternatives(attributes: Der | undefined): Alternatives {
  const none = { dnsNames: [], ipAddresses: [], emailAddresses: [], uris: [] };
  const requested = (attributes ? readAll(attributes.content) : []).find((attribute) => {
    const [type] = children(attribute, derTag.sequence);
    return type !== undefined && readOid(type) === extensionRequest;
  });
  if (!requested) return none;
  const [, values] = children(requested, derTag.sequence);
  const [extensions] = children(values, derTag.set);
  const found = children(extensions, derTag.sequence).find((extension) => {
    const [type] = children(extension, derTag.sequence);
    return type !== undefined && readOid(type) === alternativeName;
  });
  const value = found && children(found, derTag.sequence).at(-1);
  if (!found || !value) return none;
  const names = children(readDer(value.content), derTag.sequence);
  const texts = (tag: number): string[] =>
    names.filter((one) => one.tag === tag).map(({ content }) => content.toString('latin1'));
  return {
    emailAddresses: texts(0x81),
    dnsNames: texts(0x82),
    uris: texts(0x86),
    ipAddresses: names.filter(({ tag }) => tag === 0x87).map(({ content }) => content),
    alternativeNames: found.raw,
  };
}
