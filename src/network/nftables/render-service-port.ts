import { firstHost, inRange } from '../../base/ip-range.ts';
import type { Backend, Frontend, ServicePort } from '../service-port.ts';
import type { RulesetPart } from './ruleset.ts';

/** The rules that carry connections from `frontends` (those of the port that it may serve) to its endpoints. */
export function renderServicePort(
  port: ServicePort,
  frontends: readonly Frontend[],
  /** Ranges in which every address without a service is refused already. */
  guarded: readonly string[],
  /** Matches the pods of the node that alone is served; they and the node itself are no strangers to `externalTrafficPolicy: Local`. */
  ownPods?: string,
): RulesetPart {
  const sets = new Map<string, string>();
  const chains = new Map<string, readonly string[]>();
  const elements = new Map<string, string>();
  const protocol = port.protocol.toLowerCase();
  const main = `svc-${named(port.key)}`;
  const [ip, addressType, loopback] =
    port.family === 'IPv6' ? ['ip6', 'ipv6_addr', '::1'] : ['ip', 'ipv4_addr', '127.0.0.0/8'];
  const target = (backend: Backend): string => `${main}/to/${named(backend.ip)}/${backend.port}`;
  const affinitySet = (backend: Backend): string => `${target(backend)}/${port.affinitySeconds}s`;

  function balance(endpoints: readonly Backend[]): readonly string[] {
    if (port.affinitySeconds !== undefined) {
      const choices = endpoints.map((backend, at) => `${at} : goto ${target(backend)}`);
      return [
        ...endpoints.map((backend) => `${ip} saddr @${affinitySet(backend)} goto ${target(backend)}`),
        `numgen inc mod ${endpoints.length} vmap { ${choices.join(', ')} }`,
      ];
    }
    const [only, ...others] = endpoints;
    if (only && others.length === 0) return [`meta l4proto ${protocol} dnat to ${destination(only)}`];
    const choices = endpoints.map(({ ip, port }, at) => `${at} : ${ip} . ${port}`);
    return [
      `meta l4proto ${protocol} dnat to numgen inc mod ${endpoints.length} map { ${choices.join(', ')} }`,
    ];
  }

  if (port.endpoints.length === 0) {
    for (const { address, port: number } of frontends) {
      if (address === undefined) elements.set(`refused-ports ${protocol} . ${number}`, 'goto refuse');
      else if (!guarded.some((range) => inRange(range, address)))
        elements.set(`refused-addresses ${address} . ${protocol} . ${number}`, 'goto refuse');
    }
    return { sets, chains, elements };
  }

  if (port.affinitySeconds !== undefined) {
    for (const backend of allBackends(port)) {
      sets.set(
        affinitySet(backend),
        `type ${addressType}; flags dynamic, timeout; timeout ${port.affinitySeconds}s;`,
      );
      chains.set(target(backend), [
        `update @${affinitySet(backend)} { ${ip} saddr }`,
        `meta l4proto ${protocol} dnat to ${destination(backend)}`,
      ]);
    }
  }
  chains.set(main, balance(port.endpoints));
  for (const { range, endpoints } of port.nodeEndpoints ?? [])
    chains.set(`${main}/from/${named(range)}`, endpoints.length > 0 ? balance(endpoints) : ['drop']);
  if (port.nodeEndpoints)
    chains.set(`${main}/internal`, [
      ...port.nodeEndpoints.map(
        ({ range }) =>
          `${ip} saddr ${range} ${ip} saddr != ${firstHost(range)} goto ${main}/from/${named(range)}`,
      ),
      `goto ${main}`,
    ]);
  const internal = port.nodeEndpoints ? `${main}/internal` : port.local?.internal ? `${main}/local` : main;
  const external = port.local?.external ? `${main}/external` : main;
  if (port.local)
    chains.set(`${main}/local`, port.local.endpoints.length > 0 ? balance(port.local.endpoints) : ['drop']);
  if (port.local?.external)
    chains.set(`${main}/external`, [
      ...(ownPods ? [`${ownPods} goto ${main}`] : []),
      `fib saddr type local goto ${main}`,
      `goto ${main}/local`,
    ]);
  if (port.sourceRanges)
    chains.set(`${main}/restricted`, [
      ...port.sourceRanges.map((range) => `${ip} saddr ${range} goto ${external}`),
      `${ip} saddr ${loopback} goto ${external}`,
      'drop',
    ]);

  for (const frontend of frontends) {
    const chain =
      frontend.role === 'clusterIP'
        ? internal
        : frontend.role === 'loadBalancer' && port.sourceRanges
          ? `${main}/restricted`
          : external;
    const element =
      frontend.address === undefined
        ? `service-ports ${protocol} . ${frontend.port}`
        : `service-addresses ${frontend.address} . ${protocol} . ${frontend.port}`;
    elements.set(element, `goto ${chain}`);
  }
  return { sets, chains, elements };
}

/** Every endpoint that a service port may lead to; the same one may come more than once. */
export function allBackends(port: ServicePort): readonly Backend[] {
  const ofNodes = (port.nodeEndpoints ?? []).map((node) => node.endpoints);
  return [port.endpoints, ...ofNodes, port.local?.endpoints ?? []].flat();
}

/** Names of nft have no colons. */
function named(text: string): string {
  return text.replaceAll(':', '-');
}

function destination({ ip, port }: Backend): string {
  return ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`;
}
