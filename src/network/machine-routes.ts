import { parseIpv4Range, type Ipv4Range } from '../base/ipv4.ts';
import { parseIpv6Range, type Ipv6Range } from '../base/ipv6.ts';
import { NetworkError } from './network-error.ts';
import { runTool } from './run-tool.ts';

/** Where packets to a range go. */
export interface MachineRoute<T = Ipv4Range> {
  readonly range: T;
  readonly link?: string;
}

/** All IPv4 routes of this machine but the default ones, those to its own addresses included; none where there is no `ip`. */
export async function machineRoutes(): Promise<readonly MachineRoute[]> {
  return routesOf(await listRoutes('-4'), (dst) => parseIpv4Range(dst.includes('/') ? dst : `${dst}/32`));
}

/** The same of IPv6. */
export async function machineIpv6Routes(): Promise<readonly MachineRoute<Ipv6Range>[]> {
  return routesOf(await listRoutes('-6'), (dst) => parseIpv6Range(dst.includes('/') ? dst : `${dst}/128`));
}

interface ListedRoute {
  readonly dst: string;
  readonly dev?: string;
}

async function listRoutes(family: '-4' | '-6'): Promise<readonly ListedRoute[]> {
  const text = await runTool('ip', [family, '-j', 'route', 'show', 'table', 'all']).catch(
    (error: unknown) => {
      if (error instanceof NetworkError && error.code === 'TOOL_MISSING') return '';
      throw error;
    },
  );
  return JSON.parse(text || '[]') as readonly ListedRoute[];
}

function routesOf<T extends { readonly prefix: number }>(
  routes: readonly ListedRoute[],
  parse: (dst: string) => T | undefined,
): readonly MachineRoute<T>[] {
  return routes.flatMap(({ dst, dev }) => {
    const range = parse(dst);
    return range && range.prefix > 0 ? [{ range, ...(dev !== undefined && { link: dev }) }] : [];
  });
}
