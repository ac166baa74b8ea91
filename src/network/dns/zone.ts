import { isIP } from 'node:net';
import type { Answer } from 'dns-packet';
import { inRange } from '../../base/ip-range.ts';
import { parseIpv4 } from '../../base/ipv4.ts';
import { formatIpv6 } from '../../base/ipv6.ts';
import type { DnsEndpoint, DnsPort, DnsService } from './dns-service.ts';

/** What a zone says of a name. */
export type ZoneAnswer =
  | { readonly kind: 'records'; readonly answers: readonly Answer[]; readonly additionals: readonly Answer[] }
  /** The name exists, but has no record of that type. */
  | { readonly kind: 'noData' }
  | { readonly kind: 'noName' }
  /** An alias that leaves the zone. */
  | { readonly kind: 'alias'; readonly answers: readonly Answer[]; readonly target: string };

/** Seconds; changes reach clients that cache as soon as this. */
const zoneTtl = 5;

/** Aliases that follow one another before the zone gives up. */
const aliasLimit = 8;

export interface ZoneOptions {
  /** `cluster.local` */
  readonly domain: string;
  /** Ranges for whose addresses the zone answers reverse lookups. */
  readonly ranges: readonly string[];
}

/** The records of a cluster, by the Kubernetes DNS specification 1.1.0. Names are in lower case, without a final dot. */
export class Zone {
  readonly #options: ZoneOptions;
  readonly #services = new Map<string, DnsService>();
  readonly #namespaces = new Map<string, number>();
  readonly #reverse = new Map<string, Map<string, readonly string[]>>();
  #serial = 1;

  constructor(options: ZoneOptions) {
    this.#options = options;
  }

  set(service: DnsService): void {
    this.delete(service.namespace, service.name);
    this.#services.set(`${service.name}.${service.namespace}`, service);
    this.#namespaces.set(service.namespace, (this.#namespaces.get(service.namespace) ?? 0) + 1);
    for (const [ip, name] of this.#addresses(service)) {
      const names = this.#reverse.get(ip) ?? new Map<string, readonly string[]>();
      const own = names.get(`${service.name}.${service.namespace}`) ?? [];
      this.#reverse.set(ip, names.set(`${service.name}.${service.namespace}`, [...own, name]));
    }
  }

  delete(namespace: string, name: string): void {
    this.#serial++;
    const key = `${name}.${namespace}`;
    const service = this.#services.get(key);
    if (!service) return;
    this.#services.delete(key);
    const left = (this.#namespaces.get(namespace) ?? 1) - 1;
    if (left > 0) this.#namespaces.set(namespace, left);
    else this.#namespaces.delete(namespace);
    for (const [ip] of this.#addresses(service)) {
      const names = this.#reverse.get(ip);
      names?.delete(key);
      if (names?.size === 0) this.#reverse.delete(ip);
    }
  }

  /** The start of authority for negative answers about `name`. */
  authority(name: string): Answer {
    const { domain } = this.#options;
    return {
      type: 'SOA',
      name: ['in-addr.arpa', 'ip6.arpa'].find((reverse) => name.endsWith(`.${reverse}`)) ?? domain,
      ttl: zoneTtl,
      data: {
        mname: `ns.dns.${domain}`,
        rname: `hostmaster.${domain}`,
        serial: this.#serial,
        refresh: 7200,
        retry: 1800,
        expire: 86_400,
        minimum: zoneTtl,
      },
    };
  }

  /** Undefined when the name is none of the zone's. */
  lookup(name: string, type: string): ZoneAnswer | undefined {
    const reverse = reverseAddress(name);
    if (reverse !== undefined) return this.#lookupAddress(reverse, name, type);
    const labels = this.#labels(name);
    if (!labels) return undefined;
    const [top, ...rest] = labels;
    if (top === undefined) return this.#apex(name, type);
    if (top === 'dns-version' && rest.length === 0)
      return records(type, [{ type: 'TXT', name, ttl: zoneTtl, data: '1.1.0' }]);
    if (top === 'svc') return this.#lookupService(name, rest, type);
    if (top === 'pod') return this.#lookupPod(name, rest, type);
    return { kind: 'noName' };
  }

  /** Labels of a name below the domain, from the top. */
  #labels(name: string): readonly string[] | undefined {
    const { domain } = this.#options;
    if (name === domain) return [];
    if (!name.endsWith(`.${domain}`)) return undefined;
    return name
      .slice(0, -domain.length - 1)
      .split('.')
      .reverse();
  }

  #apex(name: string, type: string): ZoneAnswer {
    if (type === 'SOA') return records(type, [this.authority(name)]);
    if (type === 'NS') return records(type, [{ type: 'NS', name, ttl: zoneTtl, data: `ns.dns.${name}` }]);
    return { kind: 'noData' };
  }

  #lookupService(name: string, labels: readonly string[], type: string): ZoneAnswer {
    const [namespace, serviceName, third, fourth, ...deeper] = labels;
    if (namespace === undefined) return { kind: 'noData' };
    if (serviceName === undefined) return { kind: this.#namespaces.has(namespace) ? 'noData' : 'noName' };
    const service = this.#services.get(`${serviceName}.${namespace}`);
    if (!service || deeper.length > 0) return { kind: 'noName' };
    if (service.kind === 'externalName')
      return third === undefined ? this.#follow(name, service.target, type) : { kind: 'noName' };
    // The specification asks for this one: a headless service without ready endpoints has no name.
    if (service.kind === 'headless' && service.endpoints.length === 0) return { kind: 'noName' };
    if (third === undefined)
      return type === 'SRV'
        ? this.#srv(name, service, () => true)
        : addressRecords(name, addressesOf(service), type);
    if (fourth !== undefined) {
      if (!third.startsWith('_') || !fourth.startsWith('_')) return { kind: 'noName' };
      const wanted = (port: DnsPort): boolean =>
        port.protocol === third.slice(1) && port.name === fourth.slice(1);
      if (!portsOf(service).some(wanted)) return { kind: 'noName' };
      return type === 'SRV'
        ? this.#srv(name, service, wanted)
        : addressRecords(name, addressesOf(service), type);
    }
    if (third.startsWith('_'))
      return { kind: portsOf(service).some((port) => `_${port.protocol}` === third) ? 'noData' : 'noName' };
    const endpoints = endpointsOf(service).filter(({ hostname }) => hostname === third);
    if (endpoints.length === 0) return { kind: 'noName' };
    return addressRecords(
      name,
      endpoints.map(({ ip }) => ip),
      type,
    );
  }

  #srv(name: string, service: DnsService, wanted: (port: DnsPort) => boolean): ZoneAnswer {
    const base = this.#nameOf(service);
    const targets =
      service.kind === 'clusterIP'
        ? service.addresses.map((ip) => ({ target: base, ip, ports: service.ports }))
        : endpointsOf(service).map(({ hostname, ip, ports }) => ({
            target: `${hostname}.${base}`,
            ip,
            ports,
          }));
    const hits = targets.flatMap((target) =>
      target.ports.filter(wanted).map((port) => ({ ...target, port: port.port })),
    );
    // A target of two families is one answer.
    const distinct = [...new Map(hits.map((hit) => [`${hit.target} ${hit.port}`, hit])).values()];
    const weight = Math.max(1, Math.floor(100 / Math.max(1, distinct.length)));
    const answers = distinct.map(({ target, port }): Answer => ({
      type: 'SRV',
      name,
      ttl: zoneTtl,
      data: { target, port, priority: 0, weight },
    }));
    const hosts = new Map(hits.map(({ target, ip }) => [`${target} ${ip}`, { target, ip }]));
    const additionals = [...hosts.values()].map(({ target, ip }) => addressRecord(target, ip));
    return answers.length > 0 ? { kind: 'records', answers, additionals } : { kind: 'noData' };
  }

  #lookupPod(name: string, labels: readonly string[], type: string): ZoneAnswer {
    const [namespace, dashed, ...deeper] = labels;
    if (namespace === undefined) return { kind: 'noData' };
    if (dashed === undefined) return { kind: this.#namespaces.has(namespace) ? 'noData' : 'noName' };
    const dotted = dashed.replaceAll('-', '.');
    const ip = parseIpv4(dotted) === undefined ? dashed.replaceAll('-', ':') : dotted;
    if (deeper.length > 0 || isIP(ip) === 0) return { kind: 'noName' };
    return addressRecords(name, [ip], type);
  }

  #follow(name: string, target: string, type: string): ZoneAnswer {
    const answers: Answer[] = [];
    let owner = name;
    let next = target;
    for (let step = 0; step < aliasLimit; step++) {
      answers.push({ type: 'CNAME', name: owner, ttl: zoneTtl, data: next });
      if (type === 'CNAME') break;
      const labels = this.#labels(next);
      if (!labels) return { kind: 'alias', answers, target: next };
      const [top, namespace, serviceName, ...deeper] = labels;
      const service = this.#services.get(`${serviceName}.${namespace}`);
      if (top === 'svc' && deeper.length === 0 && service?.kind === 'externalName') {
        owner = next;
        next = service.target;
        continue;
      }
      const found = this.lookup(next, type);
      if (found?.kind !== 'records') break;
      return { ...found, answers: [...answers, ...found.answers] };
    }
    return { kind: 'records', answers, additionals: [] };
  }

  #lookupAddress(ip: string, name: string, type: string): ZoneAnswer | undefined {
    const names = [...(this.#reverse.get(ip)?.values() ?? [])].flat();
    if (names.length > 0)
      return records(
        type,
        names.map((data): Answer => ({ type: 'PTR', name, ttl: zoneTtl, data })),
        'PTR',
      );
    const ours = this.#options.ranges.some((range) => inRange(range, ip));
    return ours ? { kind: 'noName' } : undefined;
  }

  #nameOf({ name, namespace }: DnsService): string {
    return `${name}.${namespace}.svc.${this.#options.domain}`;
  }

  /** Addresses with the names that reverse lookups give. */
  #addresses(service: DnsService): readonly (readonly [string, string])[] {
    const base = this.#nameOf(service);
    if (service.kind === 'clusterIP') return service.addresses.map((ip) => [ip, base] as const);
    return endpointsOf(service).map(({ ip, hostname }) => [ip, `${hostname}.${base}`] as const);
  }
}

function endpointsOf(service: DnsService): readonly DnsEndpoint[] {
  return service.kind === 'headless' ? service.endpoints : [];
}

function addressesOf(service: DnsService): readonly string[] {
  return service.kind === 'clusterIP' ? service.addresses : endpointsOf(service).map(({ ip }) => ip);
}

function portsOf(service: DnsService): readonly DnsPort[] {
  return service.kind === 'clusterIP' ? service.ports : endpointsOf(service).flatMap(({ ports }) => ports);
}

/** A records of IPv4 addresses and AAAA records of the others; those of the type asked for. */
function addressRecords(name: string, addresses: readonly string[], type: string): ZoneAnswer {
  const answers = addresses.map((ip) => addressRecord(name, ip));
  const wanted = answers.filter((answer) => type === 'ANY' || answer.type === type);
  return wanted.length > 0 ? { kind: 'records', answers: wanted, additionals: [] } : { kind: 'noData' };
}

function addressRecord(name: string, ip: string): Answer {
  return { type: ip.includes(':') ? 'AAAA' : 'A', name, ttl: zoneTtl, data: ip };
}

/** The address that a name of reverse lookups stands for; undefined when it is none. */
function reverseAddress(name: string): string | undefined {
  const dotted = /^([0-9]+)\.([0-9]+)\.([0-9]+)\.([0-9]+)\.in-addr\.arpa$/.exec(name);
  if (dotted) return dotted.slice(1).reverse().join('.');
  const digits = /^((?:[0-9a-f]\.){32})ip6\.arpa$/.exec(name)?.[1]?.split('.').reverse().join('');
  return digits === undefined ? undefined : formatIpv6(BigInt(`0x${digits}`));
}

/** The records when they are of the type asked for. */
function records(type: string, answers: readonly Answer[], own: string = type): ZoneAnswer {
  if ((type !== own && type !== 'ANY') || answers.length === 0) return { kind: 'noData' };
  return { kind: 'records', answers, additionals: [] };
}
