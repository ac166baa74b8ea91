import type {
  FlowSchema,
  FlowSchemaSpec,
  PolicyRulesWithSubjects,
  PriorityLevelConfiguration,
  PriorityLevelConfigurationSpec,
  Subject,
} from './v1.gen.ts';

const apiVersion = 'flowcontrol.apiserver.k8s.io/v1';
const annotations = { 'apf.kubernetes.io/autoupdate-spec': 'true' };

const group = (name: string): Subject => ({ kind: 'Group', group: { name } });
const user = (name: string): Subject => ({ kind: 'User', user: { name } });
const accountsOf = (namespace: string): Subject => ({
  kind: 'ServiceAccount',
  serviceAccount: { namespace, name: '*' },
});

function everyone(): Subject[] {
  return [group('system:unauthenticated'), group('system:authenticated')];
}

/** Every request of these subjects. */
function everything(...subjects: readonly Subject[]): PolicyRulesWithSubjects {
  return {
    subjects,
    resourceRules: [
      { verbs: ['*'], apiGroups: ['*'], resources: ['*'], clusterScope: true, namespaces: ['*'] },
    ],
    nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
  };
}

interface Schema {
  readonly level: string;
  readonly precedence: number;
  readonly by?: 'ByUser' | 'ByNamespace';
  readonly rules: readonly PolicyRulesWithSubjects[];
}

function schemas(): Readonly<Record<string, Schema>> {
  const leases = { apiGroups: ['coordination.k8s.io'], resources: ['leases'], namespaces: ['*'] };
  return {
    'catch-all': {
      level: 'catch-all',
      precedence: 10_000,
      by: 'ByUser',
      rules: [everything(...everyone())],
    },
    exempt: { level: 'exempt', precedence: 1, rules: [everything(group('system:masters'))] },
    'global-default': {
      level: 'global-default',
      precedence: 9900,
      by: 'ByUser',
      rules: [everything(...everyone())],
    },
    'kube-controller-manager': {
      level: 'workload-high',
      precedence: 800,
      by: 'ByNamespace',
      rules: [everything(user('system:kube-controller-manager'))],
    },
    'kube-scheduler': {
      level: 'workload-high',
      precedence: 800,
      by: 'ByNamespace',
      rules: [everything(user('system:kube-scheduler'))],
    },
    'kube-system-service-accounts': {
      level: 'workload-high',
      precedence: 900,
      by: 'ByNamespace',
      rules: [everything(accountsOf('kube-system'))],
    },
    probes: {
      level: 'exempt',
      precedence: 2,
      rules: [
        {
          subjects: everyone(),
          nonResourceRules: [{ verbs: ['get'], nonResourceURLs: ['/healthz', '/readyz', '/livez'] }],
        },
      ],
    },
    'service-accounts': {
      level: 'workload-low',
      precedence: 9000,
      by: 'ByUser',
      rules: [everything(group('system:serviceaccounts'))],
    },
    'system-leader-election': {
      level: 'leader-election',
      precedence: 100,
      by: 'ByUser',
      rules: [
        {
          subjects: [
            user('system:kube-controller-manager'),
            user('system:kube-scheduler'),
            accountsOf('kube-system'),
          ],
          resourceRules: [{ verbs: ['get', 'create', 'update'], ...leases }],
        },
      ],
    },
    'system-node-high': {
      level: 'node-high',
      precedence: 400,
      by: 'ByUser',
      rules: [
        {
          subjects: [group('system:nodes')],
          resourceRules: [
            {
              verbs: ['*'],
              apiGroups: [''],
              resources: ['nodes', 'nodes/status'],
              clusterScope: true,
              namespaces: ['*'],
            },
            { verbs: ['*'], ...leases },
          ],
        },
      ],
    },
    'system-nodes': {
      level: 'system',
      precedence: 500,
      by: 'ByUser',
      rules: [everything(group('system:nodes'))],
    },
  };
}

interface Level {
  readonly shares: number;
  readonly lendable: number;
  readonly queues?: number;
  readonly hand?: number;
}

const levels: Readonly<Record<string, Level>> = {
  'catch-all': { shares: 5, lendable: 0 },
  'global-default': { shares: 20, lendable: 50, queues: 128, hand: 6 },
  'leader-election': { shares: 10, lendable: 0, queues: 16, hand: 4 },
  'node-high': { shares: 40, lendable: 25, queues: 64, hand: 6 },
  system: { shares: 30, lendable: 33, queues: 64, hand: 6 },
  'workload-high': { shares: 40, lendable: 50, queues: 128, hand: 6 },
  'workload-low': { shares: 100, lendable: 90, queues: 128, hand: 6 },
};

function schemaSpec({ level, precedence, by, rules }: Schema): FlowSchemaSpec {
  return {
    priorityLevelConfiguration: { name: level },
    matchingPrecedence: precedence,
    ...(by && { distinguisherMethod: { type: by } }),
    rules,
  };
}

function levelSpec({ shares, lendable, queues, hand }: Level): PriorityLevelConfigurationSpec {
  const limitResponse =
    queues === undefined || hand === undefined
      ? { type: 'Reject' }
      : { type: 'Queue', queuing: { queues, handSize: hand, queueLengthLimit: 50 } };
  return {
    type: 'Limited',
    limited: { nominalConcurrencyShares: shares, limitResponse, lendablePercent: lendable },
  };
}

/** The specs of `exempt` and `catch-all`, which nobody may change. */
export function mandatoryFlowSchema(name: string | undefined): FlowSchemaSpec | undefined {
  if (name !== 'exempt' && name !== 'catch-all') return undefined;
  const schema = schemas()[name];
  return schema && schemaSpec(schema);
}

/** The specs of `exempt` and `catch-all`; of the former only the type is fixed. */
export function mandatoryPriorityLevel(name: string | undefined): PriorityLevelConfigurationSpec | undefined {
  if (name === 'exempt')
    return { type: 'Exempt', exempt: { nominalConcurrencyShares: 0, lendablePercent: 0 } };
  const level = name === 'catch-all' ? levels[name] : undefined;
  return level && levelSpec(level);
}

/** The flow schemas of a new cluster, as upstream suggests them, their priority levels known to exist. */
export function bootstrapFlowSchemas(now: string): FlowSchema[] {
  return Object.entries(schemas()).map(([name, schema]) => ({
    apiVersion,
    kind: 'FlowSchema',
    metadata: { name, generation: 1, annotations },
    spec: schemaSpec(schema),
    status: {
      conditions: [
        {
          type: 'Dangling',
          status: 'False',
          lastTransitionTime: now,
          reason: 'Found',
          message: `This FlowSchema references the PriorityLevelConfiguration object named "${schema.level}" and it exists`,
        },
      ],
    },
  }));
}

/** The priority levels of a new cluster. */
export function bootstrapPriorityLevels(): PriorityLevelConfiguration[] {
  const exempt = { type: 'Exempt', exempt: { nominalConcurrencyShares: 0, lendablePercent: 0 } };
  const specs: [string, PriorityLevelConfigurationSpec][] = [
    ['exempt', exempt],
    ...Object.entries(levels).map(([name, level]): [string, PriorityLevelConfigurationSpec] => [
      name,
      levelSpec(level),
    ]),
  ];
  return specs.map(([name, spec]) => ({
    apiVersion,
    kind: 'PriorityLevelConfiguration',
    metadata: { name, generation: 1, annotations },
    spec,
    status: {},
  }));
}
