import { parseIpv4Range, type Ipv4Range } from '../base/ipv4.ts';
import { NetworkError } from './network-error.ts';
import { runTool } from './run-tool.ts';

/** Where packets to a range go. */
export interface MachineRoute {
  readonly range: Ipv4Range;
  readonly link?: string;
}

/** All IPv4 routes of this machine but the default ones, those to its own addresses included; none where there is no `ip`. */
export async function machineRoutes(): Promise<readonly MachineRoute[]> {
  const text = await runTool('ip', ['-4', '-j', 'route', 'show', 'table', 'all']).catch((error: unknown) => {
    if (error instanceof NetworkError && error.code === 'TOOL_MISSING') return '';
    throw error;
  });
  const routes = JSON.parse(text || '[]') as readonly { readonly dst: string; readonly dev?: string }[];
  return routes.flatMap(({ dst, dev }) => {
    const range = parseIpv4Range(dst.includes('/') ? dst : `${dst}/32`);
    return range && range.prefix > 0 ? [{ range, ...(dev !== undefined && { link: dev }) }] : [];
  });
}
