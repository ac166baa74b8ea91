import { describe, expect, it } from 'vitest';
import type { NetworkPolicy } from '../../api/networking/v1.gen.ts';
import { compilePolicy } from './compile-policy.ts';
import { peerGroups, planPod, type PodPlan } from './plan-policies.ts';
import type { PolicyPod } from './policy-pod.ts';

type Spec = NonNullable<NetworkPolicy['spec']>;

function policy(spec: Spec, name: string = 'p', namespace: string = 'x'): NetworkPolicy {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name, namespace },
    spec,
  };
}

function pod(name: string, namespace: string = 'x', more: Partial<PolicyPod> = {}): PolicyPod {
  return {
    key: `${namespace}/${name}`,
    namespace,
    labels: { pod: name },
    namespaceLabels: { ns: namespace },
    addresses: ['10.0.0.5'],
    ports: [
      { name: 'web', protocol: 'tcp', port: 8080 },
      { name: 'web', protocol: 'udp', port: 9090 },
    ],
    local: true,
    ...more,
  };
}

const anybody = { kind: 'anybody' } as const;
const everything = { whom: anybody, ports: 'all' } as const;
const all = { podSelector: {} };
const tcp = (first: number, last: number = first) => ({ protocol: 'tcp', first, last }) as const;

interface Row {
  readonly title: string;
  readonly policies: readonly NetworkPolicy[];
  readonly plan: PodPlan;
}

const rows: readonly Row[] = [
  { title: 'is free without policies', policies: [], plan: {} },
  { title: 'is free of policies in other namespaces', policies: [policy(all, 'p', 'y')], plan: {} },
  {
    title: 'is free of policies that select others',
    policies: [policy({ podSelector: { matchLabels: { pod: 'b' } } })],
    plan: {},
  },
  { title: 'lets nothing in when a policy has no rules', policies: [policy(all)], plan: { ingress: [] } },
  {
    title: 'lets nothing out when a policy of that type has no rules',
    policies: [policy({ ...all, policyTypes: ['Egress'] })],
    plan: { egress: [] },
  },
  {
    title: 'is isolated both ways by egress rules without types',
    policies: [policy({ ...all, egress: [{}] })],
    plan: { ingress: [], egress: [everything] },
  },
  {
    title: 'lets everything in with an empty rule',
    policies: [policy({ ...all, ingress: [{}] })],
    plan: { ingress: [everything] },
  },
  {
    title: 'takes empty lists of peers and ports for all',
    policies: [policy({ ...all, ingress: [{ from: [], ports: [] }] })],
    plan: { ingress: [everything] },
  },
  {
    title: 'has what any of its policies allows',
    policies: [
      policy(all, 'deny'),
      policy({ ...all, ingress: [{ ports: [{ port: 80 }] }] }, 'web'),
      policy({ ...all, ingress: [{ ports: [{ port: 80 }] }, { ports: [{ protocol: 'UDP' }] }] }, 'more'),
    ],
    plan: {
      ingress: [
        { whom: anybody, ports: [tcp(80)] },
        { whom: anybody, ports: [{ protocol: 'udp', first: 0, last: 65_535 }] },
      ],
    },
  },
  {
    title: 'knows peers by pod, by namespace, by both and by address',
    policies: [
      policy({
        ...all,
        ingress: [
          {
            from: [
              { podSelector: { matchLabels: { pod: 'b' } } },
              { namespaceSelector: {} },
              {
                namespaceSelector: { matchLabels: { ns: 'y' } },
                podSelector: { matchExpressions: [{ key: 'pod', operator: 'In', values: ['b', 'a'] }] },
              },
              { ipBlock: { cidr: '10.0.0.0/8', except: ['10.1.0.0/16'] } },
            ],
          },
        ],
      }),
    ],
    plan: {
      ingress: [
        { whom: { kind: 'group', group: 'namespace x pods {pod=b}' }, ports: 'all' },
        { whom: { kind: 'group', group: 'namespaces {} pods {}' }, ports: 'all' },
        { whom: { kind: 'group', group: 'namespaces {ns=y} pods {pod in (a,b)}' }, ports: 'all' },
        { whom: { kind: 'block', cidr: '10.0.0.0/8', except: ['10.1.0.0/16'] }, ports: 'all' },
      ],
    },
  },
  {
    title: 'joins ranges that overlap or touch',
    policies: [
      policy({
        ...all,
        ingress: [
          { ports: [{ port: 90, endPort: 100 }, { port: 81 }, { port: 80 }, { port: 95, endPort: 120 }] },
        ],
      }),
    ],
    plan: { ingress: [{ whom: anybody, ports: [tcp(80, 81), tcp(90, 120)] }] },
  },
  {
    title: 'is called at its own named ports, of the right protocol',
    policies: [policy({ ...all, ingress: [{ ports: [{ port: 'web' }, { port: 'none' }] }] })],
    plan: { ingress: [{ whom: anybody, ports: [tcp(8080)] }] },
  },
  {
    title: 'is not open when its named port is missing',
    policies: [policy({ ...all, ingress: [{ ports: [{ port: 'none' }] }] })],
    plan: { ingress: [] },
  },
  {
    title: 'calls others at theirs',
    policies: [
      policy({
        ...all,
        policyTypes: ['Egress'],
        egress: [
          { to: [{ podSelector: {} }], ports: [{ port: 'web' }, { port: 53, protocol: 'UDP' }] },
          { ports: [{ port: 'dns' }] },
        ],
      }),
    ],
    plan: {
      egress: [
        {
          whom: { kind: 'group', group: 'namespace x pods {}' },
          ports: [{ protocol: 'udp', first: 53, last: 53 }],
        },
        { namedPorts: 'namespace x pods {} port tcp web' },
        { namedPorts: 'namespaces {} pods {} port tcp dns' },
      ],
    },
  },
];

describe('a pod', () => {
  it.each(rows)('$title', ({ policies, plan }) => {
    expect(planPod(pod('a'), policies.map(compilePolicy))).toEqual(plan);
  });
});

describe('a group of peers', () => {
  const from = (peer: NonNullable<NonNullable<Spec['ingress']>[number]['from']>[number]): Spec => ({
    ...all,
    policyTypes: ['Egress'],
    egress: [{ to: [peer], ports: [{ port: 'web' }] }],
  });
  const candidates = [pod('a'), pod('b'), pod('a', 'y', { addresses: ['10.1.0.7'] })];

  it.each([
    { title: 'is of the own namespace by default', peer: { podSelector: {} }, members: 'x/a x/b' },
    {
      title: 'goes by labels of namespaces',
      peer: { namespaceSelector: { matchLabels: { ns: 'y' } } },
      members: 'y/a',
    },
    {
      title: 'goes by both',
      peer: { namespaceSelector: {}, podSelector: { matchLabels: { pod: 'a' } } },
      members: 'x/a y/a',
    },
    {
      title: 'goes by address',
      peer: { ipBlock: { cidr: '10.0.0.0/8', except: ['10.0.0.0/24'] } },
      members: 'y/a',
    },
  ])('$title', ({ peer, members }) => {
    const [group] = peerGroups(compilePolicy(policy(from(peer)))).filter(({ kind }) => kind === 'ports');
    const found = candidates.filter((candidate) => group?.matches(candidate)).map(({ key }) => key);
    expect(found.join(' ')).toBe(members);
  });
});
