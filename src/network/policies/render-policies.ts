import { createHash } from 'node:crypto';
import type { RulesetPart } from '../nftables/ruleset.ts';
import type { Allowance, PeerGroup, PodPlan, PortRange, Whom } from './plan-policies.ts';
import type { PolicyPod } from './policy-pod.ts';

type Direction = 'ingress' | 'egress';
type Family = 'ip' | 'ip6';

const families = ['ip', 'ip6'] as const;

/** The sets of a group of peers, one for each family; empty. */
export function renderGroup(group: PeerGroup): RulesetPart {
  const sets = families.map((family): [string, string] => {
    const address = family === 'ip' ? 'ipv4_addr' : 'ipv6_addr';
    const type = group.kind === 'pods' ? address : `${address} . inet_proto . inet_service`;
    return [setName(group.name, family), `type ${type};`];
  });
  return { sets: new Map(sets), chains: new Map(), elements: new Map() };
}

/**
 * What a pod adds to the table: itself in the sets of the groups that it belongs to and, when its packets pass here, the
 * chains that say what it may. Chains are named for what they say: pods that may the same share them.
 */
export function renderPod(pod: PolicyPod, groups: readonly PeerGroup[], plan: PodPlan): RulesetPart {
  const chains = new Map<string, readonly string[]>();
  const elements = new Map<string, string>();
  for (const group of groups)
    for (const address of pod.addresses)
      for (const element of elementsOf(group, pod, address))
        elements.set(`${setName(group.name, familyOf(address))} ${element}`, '');
  for (const direction of ['ingress', 'egress'] as const) {
    const allowances = plan[direction];
    if (!pod.local || !allowances) continue;
    const rules = renderAllowances(allowances, direction);
    const chain = `${direction}-${hash(rules.join('\n'))}`;
    chains.set(chain, rules);
    for (const address of pod.addresses) {
      const suffix = familyOf(address) === 'ip' ? '' : '-6';
      elements.set(`isolated-${direction}${suffix} ${address}`, `jump ${chain}`);
      elements.set(`themselves${suffix} ${address} . ${address}`, '');
    }
  }
  return { sets: new Map(), chains, elements };
}

function elementsOf(group: PeerGroup, pod: PolicyPod, address: string): readonly string[] {
  if (group.kind === 'pods') return [address];
  return pod.ports
    .filter(({ name, protocol }) => name === group.port && protocol === group.protocol)
    .map(({ protocol, port }) => `${address} . ${protocol} . ${port}`);
}

function renderAllowances(allowances: readonly Allowance[], direction: Direction): readonly string[] {
  const side = direction === 'ingress' ? 'saddr' : 'daddr';
  const lines = allowances.flatMap((allowance) => {
    if ('namedPorts' in allowance)
      return families.map(
        (family) =>
          `${family} ${side} . meta l4proto . th dport @${setName(allowance.namedPorts, family)} return`,
      );
    const ports = renderPorts(allowance.ports);
    return renderWhom(allowance.whom, side).flatMap((whom) =>
      ports.map((port) => [whom, port, 'return'].filter((word) => word !== '').join(' ')),
    );
  });
  return [...lines, 'goto deny'];
}

function renderWhom(whom: Whom, side: 'saddr' | 'daddr'): readonly string[] {
  if (whom.kind === 'anybody') return [''];
  if (whom.kind === 'group')
    return families.map((family) => `${family} ${side} @${setName(whom.group, family)}`);
  const family = familyOf(whom.cidr);
  const except = whom.except.map((range) => `${family} ${side} != ${range}`);
  return [[`${family} ${side} ${whom.cidr}`, ...except].join(' ')];
}

function renderPorts(ports: 'all' | readonly PortRange[]): readonly string[] {
  if (ports === 'all') return [''];
  const protocols = [...new Set(ports.map(({ protocol }) => protocol))];
  return protocols.map((protocol) => {
    const own = ports.filter((range) => range.protocol === protocol);
    if (own.some(({ first, last }) => first === 0 && last === 65_535)) return `meta l4proto ${protocol}`;
    const ranges = own.map(({ first, last }) => (first === last ? `${first}` : `${first}-${last}`));
    return `meta l4proto ${protocol} th dport { ${ranges.join(', ')} }`;
  });
}

function setName(group: string, family: Family): string {
  return `${family === 'ip' ? 'peers' : 'peers-6'}-${hash(group)}`;
}

function familyOf(address: string): Family {
  return address.includes(':') ? 'ip6' : 'ip';
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
