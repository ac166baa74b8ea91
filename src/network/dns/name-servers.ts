import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import type { Clock } from '../../base/clock.ts';

const rereadMs = 5_000;

/** The name servers of a resolv.conf, in order. */
export function parseNameServers(text: string): readonly string[] {
  return text.split('\n').flatMap((line) => {
    const address = /^\s*nameserver\s+(\S+)/.exec(line)?.[1]?.replace(/%.*$/, '') ?? '';
    return isIP(address) === 0 ? [] : [address];
  });
}

/** Reads the machine's name servers, at most every five seconds; none when there is no such file. */
export function machineNameServers(file: string, clock: Clock): () => Promise<readonly string[]> {
  let known: readonly string[] = [];
  let due = -Infinity;
  return async () => {
    if (clock.monotonic() < due) return known;
    due = clock.monotonic() + rereadMs;
    known = parseNameServers(await readFile(file, 'utf8').catch(() => ''));
    return known;
  };
}
