/** A port that a pod takes on its node. */
export interface HostPort {
  readonly ip: string;
  readonly protocol: string;
  readonly port: number;
}

const anyAddress = '0.0.0.0';

/** Ports taken on one node, counted so that the same port can be given back. */
export class HostPorts {
  readonly #taken = new Map<string, Map<string, number>>();

  get size(): number {
    return this.#taken.size;
  }

  add({ ip, protocol, port }: HostPort): void {
    const key = `${protocol}/${port}`;
    let addresses = this.#taken.get(key);
    if (!addresses) this.#taken.set(key, (addresses = new Map()));
    addresses.set(ip, (addresses.get(ip) ?? 0) + 1);
  }

  remove({ ip, protocol, port }: HostPort): void {
    const key = `${protocol}/${port}`;
    const addresses = this.#taken.get(key);
    const count = addresses?.get(ip);
    if (!addresses || count === undefined) return;
    if (count > 1) addresses.set(ip, count - 1);
    else addresses.delete(ip);
    if (addresses.size === 0) this.#taken.delete(key);
  }

  /** Whether the port is taken: the same address, or either of them every address. */
  conflicts({ ip, protocol, port }: HostPort): boolean {
    const addresses = this.#taken.get(`${protocol}/${port}`);
    if (!addresses) return false;
    return ip === anyAddress || addresses.has(ip) || addresses.has(anyAddress);
  }
}
