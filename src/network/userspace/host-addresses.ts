import { readFile } from 'node:fs/promises';

/**
 * The machine's own IPv4 addresses, 127.0.0.1 included, from `/proc/net/fib_trie`; links without a carrier count, which
 * `os.networkInterfaces` leaves out. In no particular order.
 */
export async function hostAddresses(): Promise<readonly string[]> {
  return parseFibTrie(await readFile('/proc/net/fib_trie', 'utf8'));
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
