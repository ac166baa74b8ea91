import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { formatIpv6Range, parseIpv6Range, type Ipv6Range } from '../base/ipv6.ts';
import type { Ipv4Range } from '../base/ipv4.ts';
import { formatNetworks, ipv6Overlaps, type Networks } from './cidr.ts';
import { ClusterError } from './cluster-error.ts';

/** The IPv6 networks of a cluster of two families. */
export interface Ipv6Networks {
  readonly podCidr: Ipv6Range;
  readonly serviceCidr: Ipv6Range;
}

/** Networks of RFC 4193 that nobody else has, made of the cluster's id and chance. */
export function localIpv6Networks(id: string): Ipv6Networks {
  const site = `fd${id.slice(0, 2)}:${id.slice(2)}:${randomBytes(2).toString('hex')}`;
  const parse = (text: string): Ipv6Range => parseIpv6Range(text) ?? { network: 0n, prefix: 0 };
  return { podCidr: parse(`${site}::/56`), serviceCidr: parse(`${site}:100::/112`) };
}

/** The IPv6 networks among what was asked for; throws `INVALID_OPTION` for those that no cluster can have. */
export function askedIpv6Networks(
  pod: Networks | undefined,
  service: Networks | undefined,
): Ipv6Networks | undefined {
  if (!pod?.ipv6 && !service?.ipv6) return undefined;
  if (!pod?.ipv6 || !service?.ipv6) {
    const [given, other, example] = pod?.ipv6
      ? ['--pod-cidr', '--service-cidr', '10.96.0.0/16,fd00:10:96::/112']
      : ['--service-cidr', '--pod-cidr', '10.244.0.0/16,fd00:10:244::/56'];
    throw new ClusterError(
      'INVALID_OPTION',
      `${given} has an IPv6 network and ${other} has none; give both, such as ${other} ${example}`,
    );
  }
  const smallest = 64 - nodeBits(pod.ipv4);
  if (pod.ipv6.prefix > smallest)
    throw new ClusterError(
      'INVALID_OPTION',
      `--pod-cidr ${formatNetworks(pod)}: every node takes an IPv6 /64, and there are as many as the IPv4 network has /24s; use a /${smallest} or larger`,
    );
  if (service.ipv6.prefix < 64 || service.ipv6.prefix > 123)
    throw new ClusterError(
      'INVALID_OPTION',
      `--service-cidr ${formatNetworks(service)}: the IPv6 network of services has from /64 to /123`,
    );
  if (ipv6Overlaps(pod.ipv6, service.ipv6))
    throw new ClusterError(
      'INVALID_OPTION',
      `--pod-cidr ${formatIpv6Range(pod.ipv6)} and --service-cidr ${formatIpv6Range(service.ipv6)} overlap`,
    );
  return { podCidr: pod.ipv6, serviceCidr: service.ipv6 };
}

/** Throws `INVALID_OPTION` where the kernel has no IPv6. */
export async function requireIpv6(): Promise<void> {
  const file = '/proc/sys/net/ipv6/conf/all/disable_ipv6';
  const disabled = await readFile(file, 'utf8').catch(() => undefined);
  if (disabled?.trim() === '0') return;
  throw new ClusterError(
    'INVALID_OPTION',
    `this machine has no IPv6 (${disabled === undefined ? `there is no ${file}` : `${file} is ${disabled.trim()}`}); start the cluster with IPv4 networks only`,
  );
}

function nodeBits({ prefix }: Ipv4Range): number {
  return 24 - prefix;
}
