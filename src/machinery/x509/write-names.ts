import { isIPv4 } from 'node:net';
import { derTag, writeDer, writeOid } from './der.ts';

const attributes: Readonly<Record<string, string>> = { CN: '2.5.4.3', O: '2.5.4.10' };

/** A `Name` (RFC 5280, 4.1.2.4) of common names and organisations, in this order; DER. */
export function writeName(parts: readonly (readonly ['CN' | 'O', string])[]): Buffer {
  const utf8 = 0x0c;
  const sets = parts.map(([attribute, value]) => {
    const pair = [writeOid(attributes[attribute] ?? ''), writeDer(utf8, Buffer.from(value))];
    return writeDer(derTag.set, writeDer(derTag.sequence, ...pair));
  });
  return writeDer(derTag.sequence, ...sets);
}

/** The extension with a subject's alternative names; DER. */
export function writeAlternativeNames(dns: readonly string[], ips: readonly string[]): Buffer {
  const names = [
    ...dns.map((name) => writeDer(0x82, Buffer.from(name))),
    ...ips.map((ip) => writeDer(0x87, addressBytes(ip))),
  ];
  const value = writeDer(derTag.octetString, writeDer(derTag.sequence, ...names));
  return writeDer(derTag.sequence, writeOid('2.5.29.17'), value);
}

function addressBytes(address: string): Buffer {
  if (isIPv4(address)) return Buffer.from(address.split('.').map(Number));
  const [left = '', right] = address.split('::');
  const groups = (text: string): number[] =>
    text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));
  const [before, after] = [groups(left), groups(right ?? '')];
  const all = [...before, ...Array<number>(8 - before.length - after.length).fill(0), ...after];
  return Buffer.from(all.flatMap((group) => [group >> 8, group & 0xff]));
}
