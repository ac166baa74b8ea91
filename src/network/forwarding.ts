import { forwardingMarker } from './link-names.ts';
import { isForwarding, isForwardingIpv6, setForwarding, setForwardingIpv6 } from './link-settings.ts';
import type { NetworkPlace } from './network-place.ts';
import { runTool } from './run-tool.ts';

type Family = 'IPv4' | 'IPv6';

const families = {
  IPv4: { nft: 'ip', is: isForwarding, set: setForwarding },
  IPv6: { nft: 'ip6', is: isForwardingIpv6, set: setForwardingIpv6 },
} as const;

/** Egress needs forwarding on the machine's other links; who switches it on leaves a mark for whoever switches it off. */
export async function enableForwarding(place: NetworkPlace, wanted: readonly Family[]): Promise<void> {
  for (const family of wanted) {
    const { nft, is, set } = families[family];
    if (await is()) continue;
    await place.run('nft', ['-f', '-'], `add table ${nft} ${forwardingMarker}\n`);
    await set('1');
  }
}

/** Switches off what {@link enableForwarding} switched on, and takes its mark away. */
export async function disableForwarding(family: Family): Promise<void> {
  const { nft, set } = families[family];
  await set('0');
  await runTool('nft', ['delete', 'table', nft, forwardingMarker]);
}
