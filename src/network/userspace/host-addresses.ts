import { readFile } from 'node:fs/promises';
import { formatIpv6 } from '../../base/ipv6.ts';

/**
 * The machine's own IPv4 addresses, 127.0.0.1 included, from `/proc/net/fib_trie`; links without a carrier count, which
 * `os.networkInterfaces` leaves out. In no particular order.
 */
export async function hostAddresses(): Promise<readonly string[]> {
  return parseFibTrie(await readFile('/proc/net/fib_trie', 'utf8'));
}

/** The machine's own IPv6 addresses but those of one link only, from `/proc/net/if_inet6`. */
export async function hostIpv6Addresses(): Promise<readonly string[]> {
  return parseIfInet6(await readFile('/proc/net/if_inet6', 'utf8').catch(() => ''));
}

/** Addresses as the kernel lists them, 32 digits each, with their scope (`20` is the link) in the fourth column. */
export function parseIfInet6(text: string): readonly string[] {
  return text.split('\n').flatMap((line) => {
    const [digits = '', , , scope] = line.split(/\s+/);
    return digits === '' || scope === '20' ? [] : [formatIpv6(BigInt(`0x${digits}`))];
  });
}

/** The `/32 host LOCAL` entries of a routing trie as the kernel prints it. */
export function parseFibTrie(text: string): readonly string[] {
  const addresses = new Set<string>();
  let current = '';
  for (const line of text.split('\n')) {
    const leaf = /\|-- ([0-9.]+)$/.exec(line);
    if (leaf?.[1] !== undefined) current = leaf[1];
    else if (/^\s*\/32 host LOCAL$/.test(line)) addresses.add(current);
  }
  return [...addresses];
}
