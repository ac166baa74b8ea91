import { describe, expect, it } from 'vitest';
import type { DnsService } from './dns-service.ts';
import { Zone } from './zone.ts';

const services: readonly DnsService[] = [
  {
    kind: 'clusterIP',
    namespace: 'default',
    name: 'web',
    addresses: ['10.96.0.20'],
    ports: [
      { name: 'http', protocol: 'tcp', port: 80 },
      { name: 'http', protocol: 'udp', port: 443 },
    ],
  },
  {
    kind: 'headless',
    namespace: 'data',
    name: 'db',
    endpoints: [
      { ip: '10.244.0.5', hostname: 'db-0', ports: [{ name: 'sql', protocol: 'tcp', port: 5432 }] },
      { ip: '10.244.0.6', hostname: '10-244-0-6', ports: [{ name: 'sql', protocol: 'tcp', port: 5433 }] },
    ],
  },
  { kind: 'headless', namespace: 'data', name: 'empty', endpoints: [] },
  { kind: 'externalName', namespace: 'default', name: 'inside', target: 'web.default.svc.cluster.local' },
  { kind: 'externalName', namespace: 'default', name: 'outside', target: 'www.example.com' },
  { kind: 'externalName', namespace: 'default', name: 'loop', target: 'loop.default.svc.cluster.local' },
];

const dual: readonly DnsService[] = [
  {
    kind: 'clusterIP',
    namespace: 'default',
    name: 'both',
    addresses: ['10.96.0.30', 'fd00:10:96::30'],
    ports: [{ name: 'http', protocol: 'tcp', port: 80 }],
  },
  {
    kind: 'headless',
    namespace: 'data',
    name: 'pair',
    endpoints: [
      { ip: '10.244.0.7', hostname: '10-244-0-7', ports: [] },
      { ip: 'fd00:10:244::7', hostname: 'fd00-10-244--7', ports: [] },
    ],
  },
];

function zoneOf(list: readonly DnsService[]): Zone {
  const zone = new Zone({
    domain: 'cluster.local',
    ranges: ['10.244.0.0/16', '10.96.0.0/16', 'fd00:10:244::/56', 'fd00:10:96::/112'],
  });
  for (const service of list) zone.set(service);
  return zone;
}

const zone = zoneOf(services);

/** The answer in few words: `A 10.96.0.20`, `SRV 80 web…`, or what kind of nothing it is. */
function ask(name: string, type: string): readonly string[] {
  const found = zone.lookup(name, type);
  if (!found) return ['not ours'];
  if (found.kind === 'noData' || found.kind === 'noName') return [found.kind];
  const words = found.answers.map((answer) => {
    if (answer.type === 'SRV') return `SRV ${answer.data.port} ${answer.data.target}`;
    return 'data' in answer
      ? `${answer.type} ${JSON.stringify(answer.data).replaceAll('"', '')}`
      : answer.type;
  });
  return found.kind === 'alias' ? [...words, `then ${found.target}`] : words;
}

describe('names of a cluster', () => {
  it.each<[string, string, readonly string[]]>([
    ['web.default.svc.cluster.local', 'A', ['A 10.96.0.20']],
    ['web.default.svc.cluster.local', 'AAAA', ['noData']],
    [
      'web.default.svc.cluster.local',
      'SRV',
      ['SRV 80 web.default.svc.cluster.local', 'SRV 443 web.default.svc.cluster.local'],
    ],
    ['_http._tcp.web.default.svc.cluster.local', 'SRV', ['SRV 80 web.default.svc.cluster.local']],
    ['_http._udp.web.default.svc.cluster.local', 'SRV', ['SRV 443 web.default.svc.cluster.local']],
    ['_https._tcp.web.default.svc.cluster.local', 'SRV', ['noName']],
    ['_tcp.web.default.svc.cluster.local', 'A', ['noData']],
    ['db.data.svc.cluster.local', 'A', ['A 10.244.0.5', 'A 10.244.0.6']],
    ['db-0.db.data.svc.cluster.local', 'A', ['A 10.244.0.5']],
    ['10-244-0-6.db.data.svc.cluster.local', 'A', ['A 10.244.0.6']],
    ['db-1.db.data.svc.cluster.local', 'A', ['noName']],
    [
      '_sql._tcp.db.data.svc.cluster.local',
      'SRV',
      ['SRV 5432 db-0.db.data.svc.cluster.local', 'SRV 5433 10-244-0-6.db.data.svc.cluster.local'],
    ],
    ['empty.data.svc.cluster.local', 'A', ['noName']],
    ['inside.default.svc.cluster.local', 'A', ['CNAME web.default.svc.cluster.local', 'A 10.96.0.20']],
    ['inside.default.svc.cluster.local', 'CNAME', ['CNAME web.default.svc.cluster.local']],
    ['outside.default.svc.cluster.local', 'A', ['CNAME www.example.com', 'then www.example.com']],
    ['10-244-0-9.default.pod.cluster.local', 'A', ['A 10.244.0.9']],
    ['10-244-0.default.pod.cluster.local', 'A', ['noName']],
    ['20.0.96.10.in-addr.arpa', 'PTR', ['PTR web.default.svc.cluster.local']],
    ['5.0.244.10.in-addr.arpa', 'PTR', ['PTR db-0.db.data.svc.cluster.local']],
    ['99.0.244.10.in-addr.arpa', 'PTR', ['noName']],
    ['1.2.0.192.in-addr.arpa', 'PTR', ['not ours']],
    ['missing.default.svc.cluster.local', 'A', ['noName']],
    ['www.example.com.default.svc.cluster.local', 'A', ['noName']],
    ['default.svc.cluster.local', 'A', ['noData']],
    ['nowhere.svc.cluster.local', 'A', ['noName']],
    ['svc.cluster.local', 'A', ['noData']],
    ['other.cluster.local', 'A', ['noName']],
    ['cluster.local', 'NS', ['NS ns.dns.cluster.local']],
    ['dns-version.cluster.local', 'TXT', ['TXT 1.1.0']],
    ['www.example.com', 'A', ['not ours']],
    ['notcluster.local', 'A', ['not ours']],
  ])('%s %s', (name, type, expected) => {
    expect(ask(name, type)).toEqual(expected);
  });

  it('names hosts of SRV records with their addresses', () => {
    const found = zone.lookup('_sql._tcp.db.data.svc.cluster.local', 'SRV');
    expect(found?.kind === 'records' && found.additionals.map((record) => record.name)).toEqual([
      'db-0.db.data.svc.cluster.local',
      '10-244-0-6.db.data.svc.cluster.local',
    ]);
  });

  it('ends when aliases go round', () => {
    expect(ask('loop.default.svc.cluster.local', 'A').at(-1)).toBe('CNAME loop.default.svc.cluster.local');
  });

  it('forgets what is deleted', () => {
    const changing = zoneOf(services);
    changing.delete('default', 'web');
    changing.delete('data', 'db');
    changing.delete('data', 'empty');
    expect(changing.lookup('web.default.svc.cluster.local', 'A')).toEqual({ kind: 'noName' });
    expect(changing.lookup('20.0.96.10.in-addr.arpa', 'PTR')).toEqual({ kind: 'noName' });
    expect(changing.lookup('data.svc.cluster.local', 'A')).toEqual({ kind: 'noName' });
  });

  const both = zoneOf(dual);
  it.each<[string, string, readonly string[]]>([
    ['both.default.svc.cluster.local', 'A', ['10.96.0.30']],
    ['both.default.svc.cluster.local', 'AAAA', ['fd00:10:96::30']],
    ['pair.data.svc.cluster.local', 'AAAA', ['fd00:10:244::7']],
    ['fd00-10-244--7.pair.data.svc.cluster.local', 'AAAA', ['fd00:10:244::7']],
    ['fd00-10-244--7.pair.data.svc.cluster.local', 'A', []],
    ['fd00-10-244--9.default.pod.cluster.local', 'AAAA', ['fd00:10:244::9']],
    [
      '0.3.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.6.9.0.0.0.1.0.0.0.0.d.f.ip6.arpa',
      'PTR',
      ['both.default.svc.cluster.local'],
    ],
  ])('of two families: %s %s', (name, type, expected) => {
    const found = both.lookup(name, type);
    const answers = found?.kind === 'records' ? found.answers : [];
    expect(answers.map((answer) => ('data' in answer ? answer.data : ''))).toEqual(expected);
  });

  it('answers for addresses of its IPv6 ranges that nobody has, and for no others', () => {
    const name = (first: string): string => `${'0.'.repeat(20)}4.4.2.0.0.1.0.0.${first}.ip6.arpa`;
    expect(both.lookup(name('0.0.d.f'), 'PTR')).toEqual({ kind: 'noName' });
    expect(both.lookup(name('8.b.d.0'), 'PTR')).toBeUndefined();
  });

  it('names a target of two families once, with both addresses', () => {
    const found = both.lookup('_http._tcp.both.default.svc.cluster.local', 'SRV');
    expect(found).toMatchObject({
      answers: [{ data: { target: 'both.default.svc.cluster.local', weight: 100 } }],
      additionals: [
        { type: 'A', data: '10.96.0.30' },
        { type: 'AAAA', data: 'fd00:10:96::30' },
      ],
    });
  });
});
