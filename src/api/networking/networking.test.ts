import { describe, expect, it } from 'vitest';
import type { FieldError } from '../../machinery/field-error.ts';
import { ingressClasses } from './ingress-classes.ts';
import { ingresses } from './ingresses.ts';
import { ipAddresses } from './ip-addresses.ts';
import { networkPolicies } from './network-policies.ts';
import { serviceCidrs } from './service-cidrs.ts';
import type {
  Ingress,
  IngressClass,
  IngressSpec,
  NetworkPolicy,
  NetworkPolicySpec,
  ServiceCIDR,
} from './v1.gen.ts';

function texts(errors: readonly FieldError[] | undefined): string[] {
  return (errors ?? []).map(({ field, message }) => `${field}: ${message}`);
}

const apiVersion = 'networking.k8s.io/v1';

describe('ingresses', () => {
  const ingress = (spec: IngressSpec): Ingress => ({
    apiVersion,
    kind: 'Ingress',
    metadata: { name: 'i', namespace: 'n' },
    spec,
  });
  const backend = { service: { name: 's', port: { number: 80 } } };
  const rule = (path: string, pathType: string): IngressSpec => ({
    rules: [{ http: { paths: [{ path, pathType, backend }] } }],
  });
  const at = 'spec.rules[0].http.paths[0]';

  it.each<[string, IngressSpec, string[]]>([
    ['good', rule('/a', 'Prefix'), []],
    ['nothing', {}, ['spec: Invalid value: null: either `defaultBackend` or `rules` must be specified']],
    ['relative path', rule('a', 'Exact'), [`${at}.path: Invalid value: "a": must be an absolute path`]],
    [
      'backsteps',
      rule('/a/../b/..', 'Prefix'),
      [
        `${at}.path: Invalid value: "/a/../b/..": must not contain '/../'`,
        `${at}.path: Invalid value: "/a/../b/..": cannot end with '/..'`,
      ],
    ],
    [
      'odd type',
      rule('/', 'Odd'),
      [
        `${at}.pathType: Unsupported value: "Odd": supported values: "Exact", "ImplementationSpecific", "Prefix"`,
      ],
    ],
    [
      'address as host',
      { rules: [{ host: '10.0.0.1' }] },
      ['spec.rules[0].host: Invalid value: "10.0.0.1": must be a DNS name, not an IP address'],
    ],
    [
      'both backends',
      { defaultBackend: { ...backend, resource: { apiGroup: 'a.io', kind: 'B', name: 'c' } } },
      ['spec.defaultBackend: Invalid value: "": cannot set both resource and service backends'],
    ],
  ])('%s', (_name, spec, errors) => {
    expect(texts(ingresses.validate?.(ingress(spec)))).toEqual(errors);
  });

  it('print three hosts and the ports', () => {
    const hosts = ['a.io', 'b.io', 'c.io', 'd.io'].map((host) => ({ host }));
    const cells = ingresses.columns?.map((column) => column.cell(ingress({ rules: hosts, tls: [{}] }), 0));
    expect(cells).toEqual(['i', '<none>', 'a.io,b.io,c.io + 1 more...', '', '80, 443', '<unknown>']);
  });
});

describe('ingress classes', () => {
  it.each<[string, IngressClass['spec'], string[]]>([
    ['good', { controller: 'example.com/c' }, []],
    ['no controller', {}, ['spec.controller: Required value']],
    [
      'no path',
      { controller: 'example.com' },
      [
        'spec.controller: Invalid value: "example.com": must be a domain-prefixed path (such as "acme.io/foo")',
      ],
    ],
    [
      'no namespace',
      { controller: 'a.io/c', parameters: { kind: 'K', name: 'n', scope: 'Namespace' } },
      ["spec.parameters.namespace: Required value: `parameters.scope` is set to 'Namespace'"],
    ],
  ])('%s', (_name, spec, errors) => {
    const object: IngressClass = { apiVersion, kind: 'IngressClass', metadata: { name: 'c' }, spec };
    expect(texts(ingressClasses.validate?.(object))).toEqual(errors);
  });
});

describe('network policies', () => {
  const policy = (spec: Partial<NetworkPolicySpec>): NetworkPolicy => ({
    apiVersion,
    kind: 'NetworkPolicy',
    metadata: { name: 'p', namespace: 'n' },
    spec: { podSelector: {}, ...spec },
  });
  const from = (cidr: string, except: string[] = []): Partial<NetworkPolicySpec> => ({
    ingress: [{ from: [{ ipBlock: { cidr, except } }] }],
  });
  const at = 'spec.ingress[0].from[0].ipBlock';

  it.each<[string, Partial<NetworkPolicySpec>, string[]]>([
    ['good', from('10.0.0.0/8', ['10.1.0.0/16']), []],
    ['IPv6', from('fd00::/8', ['fd00:1::/32']), []],
    [
      'outside',
      from('10.0.0.0/8', ['11.0.0.0/16']),
      [`${at}.except[0]: Invalid value: "11.0.0.0/16": must be a strict subset of \`cidr\``],
    ],
    [
      'host bits',
      from('10.0.0.1/8'),
      [`${at}.cidr: Invalid value: "10.0.0.1/8": must not have bits set beyond the prefix length`],
    ],
    [
      'leading zeros',
      from('010.0.0.0/8'),
      [`${at}.cidr: Invalid value: "010.0.0.0/8": must not have leading 0s in IP or prefix length`],
    ],
    [
      'nobody',
      { ingress: [{ from: [{}] }] },
      ['spec.ingress[0].from[0]: Required value: must specify a peer'],
    ],
    [
      'ports backwards',
      { egress: [{ ports: [{ port: 90, endPort: 80 }] }] },
      ['spec.egress[0].ports[0].endPort: Invalid value: 80: must be greater than or equal to `port`'],
    ],
  ])('%s', (_name, spec, errors) => {
    expect(texts(networkPolicies.validate?.(policy(spec)))).toEqual(errors);
  });

  it('may keep ranges that were allowed once', () => {
    const old = policy(from('10.0.0.1/8'));
    expect(networkPolicies.validateUpdate?.(old, old as never)).toEqual([]);
  });

  it('are about both directions when they say something of egress', () => {
    const made = structuredClone(policy({ egress: [{}] }));
    networkPolicies.versions['v1']?.defaults?.(made as never);
    expect(made.spec.policyTypes).toEqual(['Ingress', 'Egress']);
  });
});

describe('service ranges and addresses', () => {
  const range = (...cidrs: string[]): ServiceCIDR => ({
    apiVersion,
    kind: 'ServiceCIDR',
    metadata: { name: 'r' },
    spec: { cidrs },
  });

  it.each<[string[], string[]]>([
    [['10.0.0.0/24', 'fd00::/112'], []],
    [[], ['spec.cidrs: Required value: at least one CIDR required']],
    [
      ['x'],
      ['spec.cidrs[0]: Invalid value: "x": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)'],
    ],
    [
      ['FD00::/112'],
      ['spec.cidrs[0]: Invalid value: "FD00::/112": must be in canonical form ("fd00::/112")'],
    ],
  ])('%j', (cidrs, errors) => {
    expect(texts(serviceCidrs.validate?.(range(...cidrs)))).toEqual(errors);
  });

  it('grow by one family and change no further', () => {
    const old = range('10.0.0.0/24') as never;
    expect(serviceCidrs.validateUpdate?.(range('10.0.0.0/24', 'fd00::/112'), old)).toEqual([]);
    expect(texts(serviceCidrs.validateUpdate?.(range('10.1.0.0/24'), old))).toEqual([
      'spec.cidrs[0]: Invalid value: "10.1.0.0/24": field is immutable',
    ]);
  });

  it.each<[string, string[]]>([
    ['10.0.0.1', []],
    ['2001:db8::1', []],
    ['2001:DB8::1', ['must be in canonical form ("2001:db8::1")']],
    ['10.0.0.01', ['must not have leading 0s']],
  ])('%s is a name', (name, errors) => {
    expect(ipAddresses.validateName?.(name, { prefix: false })).toEqual(errors);
  });
});
