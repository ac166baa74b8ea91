import { createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { derTag, writeDer, writeOid } from './der.ts';
import { writePem } from './pem.ts';
import { writeAlternativeNames, writeName } from './write-names.ts';

/** What somebody wants to be certified. */
export interface RequestedSubject {
  readonly subject: readonly (readonly ['CN' | 'O', string])[];
  readonly dns?: readonly string[];
  readonly ips?: readonly string[];
}

/** A certificate request (RFC 2986) signed with a P-256 key; both PEM. */
export function writeCertificateRequest(wanted: RequestedSubject, key: string): string {
  const { subject, dns = [], ips = [] } = wanted;
  const privateKey = createPrivateKey(key);
  const publicKey = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
  const extensions = writeDer(derTag.sequence, writeAlternativeNames(dns, ips));
  const attribute = writeDer(
    derTag.sequence,
    writeOid('1.2.840.113549.1.9.14'),
    writeDer(derTag.set, extensions),
  );
  const info = writeDer(
    derTag.sequence,
    writeDer(derTag.integer, Buffer.from([0])),
    writeName(subject),
    publicKey,
    writeDer(0xa0, ...(dns.length + ips.length > 0 ? [attribute] : [])),
  );
  const algorithm = writeDer(derTag.sequence, writeOid('1.2.840.10045.4.3.2'));
  const signature = Buffer.concat([Buffer.from([0]), sign('sha256', info, privateKey)]);
  return writePem(
    'CERTIFICATE REQUEST',
    writeDer(derTag.sequence, info, algorithm, writeDer(derTag.bitString, signature)),
  );
}
