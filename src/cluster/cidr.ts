import { ClusterError } from './cluster-error.ts';

/** An IPv4 network. */
export interface Cidr {
  /** First address as a number. */
  readonly base: number;
  readonly prefix: number;
}

/** Parses `10.96.0.0/16`. Throws `INVALID_OPTION` naming the option. */
export function parseCidr(text: string, option: string): Cidr {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\/(\d{1,2})$/.exec(text);
  const parts = match?.slice(1, 5).map(Number) ?? [];
  const prefix = Number(match?.[5]);
  if (!match || parts.some((part) => part > 255) || prefix > 32)
    throw new ClusterError(
      'INVALID_OPTION',
      `${option} ${JSON.stringify(text)} is not an IPv4 network such as 10.96.0.0/16`,
    );
  const address = parts.reduce((sum, part) => sum * 256 + part, 0);
  const size = 2 ** (32 - prefix);
  if (address % size !== 0)
    throw new ClusterError(
      'INVALID_OPTION',
      `${option} ${text} has host bits set; the network is ${formatAddress(address - (address % size))}/${prefix}`,
    );
  return { base: address, prefix };
}

export function formatAddress(address: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join('.');
}

export function formatCidr({ base, prefix }: Cidr): string {
  return `${formatAddress(base)}/${prefix}`;
}

/** The `index`-th address of a network; 0 is the network's own. */
export function nthAddress(cidr: Cidr, index: number): string {
  return formatAddress(cidr.base + index);
}

/** The `index`-th network of `prefix` bits inside `cidr`. */
export function nthSubnet(cidr: Cidr, prefix: number, index: number): Cidr {
  return { base: cidr.base + index * 2 ** (32 - prefix), prefix };
}

export function overlaps(a: Cidr, b: Cidr): boolean {
  const end = ({ base, prefix }: Cidr): number => base + 2 ** (32 - prefix);
  return a.base < end(b) && b.base < end(a);
}

/** The first of `10.START.0.0/16`, `10.START+1.0.0/16` … that overlaps nothing in `taken`. */
export function freeNetwork(start: number, taken: readonly Cidr[]): Cidr {
  for (let step = 0; step < 128; step += 1) {
    const candidate: Cidr = { base: (10 * 256 + ((start + step) % 256)) * 65_536, prefix: 16 };
    if (!taken.some((other) => overlaps(candidate, other))) return candidate;
  }
  throw new ClusterError(
    'FAILED',
    'no free 10.x.0.0/16 network is left on this machine; give --pod-cidr and --service-cidr',
  );
}
