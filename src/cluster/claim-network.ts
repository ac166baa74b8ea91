import { createServer } from 'node:net';
import { formatIpv4Range } from '../base/ipv4.ts';
import type { Ipv4Range } from '../base/ipv4.ts';
import { freeNetwork } from './cidr.ts';

/**
 * The first of `10.START.0.0/16`, `10.START+1.0.0/16` … that overlaps nothing in `taken` and that no other process has
 * chosen a moment ago, whichever its `KANOE_HOME`. A claim is an abstract socket: it counts within one network namespace,
 * as routes do, and ends with the process, however that ends.
 */
export async function claimNetwork(start: number, taken: readonly Ipv4Range[]): Promise<Ipv4Range> {
  const range = freeNetwork(start, taken);
  if (await claim(range)) return range;
  return await claimNetwork(start, [...taken, range]);
}

function claim(range: Ipv4Range): Promise<boolean> {
  if (process.platform !== 'linux') return Promise.resolve(true);
  return new Promise((resolve) => {
    const holder = createServer((socket) => socket.destroy());
    holder.unref();
    holder.once('error', () => resolve(false));
    holder.listen(`\0kanoe/networks/${formatIpv4Range(range)}`, () => resolve(true));
  });
}
