import { describe, expect, it } from 'vitest';
import { readSchedulerConfiguration } from './read-scheduler-configuration.ts';

const head = 'apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\n';

function namesAt(text: string, point: 'filter' | 'score' | 'queueSort' | 'postFilter'): string[] {
  const [profile] = readSchedulerConfiguration(head + text).scheduler.profiles;
  return (profile?.points[point] ?? []).map(({ name, weight }) =>
    weight === undefined ? name : `${name}=${weight}`,
  );
}

function problems(text: string): string[] {
  try {
    readSchedulerConfiguration(head + text);
    return [];
  } catch (error) {
    return error instanceof Error ? error.message.split('\n') : [];
  }
}

describe('readSchedulerConfiguration', () => {
  it('fills in defaults', () => {
    const { scheduler, leaderElection } = readSchedulerConfiguration(head);
    expect(scheduler).toMatchObject({
      percentageOfNodesToScore: 0,
      podInitialBackoffMs: 1000,
      podMaxBackoffMs: 10_000,
      profiles: [{ schedulerName: 'default-scheduler' }],
    });
    expect(leaderElection).toEqual({});
  });

  it('reads extenders, and takes what they manage off NodeResourcesFit', () => {
    const text = `${head}extenders:
  - urlPrefix: https://extender.example/scheduler
    filterVerb: filter
    prioritizeVerb: prioritize
    weight: 3
    enableHTTPS: true
    httpTimeout: 1m30s
    nodeCacheCapable: true
    ignorable: true
    managedResources:
      - name: example.com/gpu
        ignoredByScheduler: true
      - name: example.com/nic
    tlsConfig: {caFile: ca.crt, certData: Y2VydA==, keyData: a2V5, serverName: other}
  - urlPrefix: https://bare.example
    bindVerb: bind
    enableHTTPS: true
`;
    const { scheduler } = readSchedulerConfiguration(text, (file) => `PEM of ${file}`);
    expect(scheduler.profiles[0]?.args.NodeResourcesFit.ignoredResources).toEqual(['example.com/gpu']);
    expect(scheduler.extenders).toEqual([
      {
        urlPrefix: 'https://extender.example/scheduler',
        filterVerb: 'filter',
        preemptVerb: '',
        prioritizeVerb: 'prioritize',
        bindVerb: '',
        weight: 3,
        timeoutMs: 90_000,
        nodeCacheCapable: true,
        managedResources: ['example.com/gpu', 'example.com/nic'],
        ignorable: true,
        tls: { insecure: false, ca: 'PEM of ca.crt', cert: 'cert', key: 'key', serverName: 'other' },
      },
      {
        urlPrefix: 'https://bare.example',
        filterVerb: '',
        preemptVerb: '',
        prioritizeVerb: '',
        bindVerb: 'bind',
        weight: 0,
        timeoutMs: 5000,
        nodeCacheCapable: false,
        managedResources: [],
        ignorable: false,
        tls: { insecure: true },
      },
    ]);
  });

  it('scores with the default weights', () => {
    expect(namesAt('profiles: [{}]', 'score')).toEqual([
      'TaintToleration=3',
      'NodeAffinity=2',
      'NodeResourcesFit=1',
      'PodTopologySpread=2',
      'InterPodAffinity=2',
      'DynamicResources=2',
      'NodeResourcesBalancedAllocation=1',
      'ImageLocality=1',
    ]);
  });

  it.each<[string, string, 'filter' | 'score' | 'postFilter', string[]]>([
    [
      'takes all plug-ins of a point away but those named',
      'profiles: [{plugins: {score: {disabled: [{name: "*"}], enabled: [{name: ImageLocality, weight: 5}]}}}]',
      'score',
      ['ImageLocality=5'],
    ],
    [
      'puts those named at a point before the rest of multiPoint, with their weight',
      'profiles: [{plugins: {score: {disabled: [{name: TaintToleration}, {name: PodTopologySpread}, {name: InterPodAffinity}], enabled: [{name: ImageLocality, weight: 9}]}}}]',
      'score',
      [
        'ImageLocality=9',
        'NodeAffinity=2',
        'NodeResourcesFit=1',
        'DynamicResources=2',
        'NodeResourcesBalancedAllocation=1',
      ],
    ],
    [
      'disables a plug-in at every point',
      'profiles: [{plugins: {multiPoint: {disabled: [{name: DefaultPreemption}, {name: DynamicResources}]}}}]',
      'postFilter',
      [],
    ],
    [
      'starts multiPoint from nothing',
      'profiles: [{plugins: {multiPoint: {disabled: [{name: "*"}], enabled: [{name: PrioritySort}, {name: DefaultBinder}, {name: NodeName}]}}}]',
      'filter',
      ['NodeName'],
    ],
    [
      'changes a default weight in place',
      'profiles: [{plugins: {multiPoint: {enabled: [{name: NodeAffinity, weight: 7}], disabled: [{name: ImageLocality}, {name: PodTopologySpread}]}}}]',
      'score',
      [
        'TaintToleration=3',
        'NodeAffinity=7',
        'NodeResourcesFit=1',
        'InterPodAffinity=2',
        'DynamicResources=2',
        'NodeResourcesBalancedAllocation=1',
      ],
    ],
  ])('%s', (_, text, point, expected) => {
    expect(namesAt(text, point)).toEqual(expected);
  });

  it('reads the arguments of plug-ins', () => {
    const text = `
profiles:
- schedulerName: a
  percentageOfNodesToScore: 30
  pluginConfig:
  - name: NodeResourcesFit
    args:
      apiVersion: kubescheduler.config.k8s.io/v1
      kind: NodeResourcesFitArgs
      ignoredResources: [example.com/foo]
      scoringStrategy:
        type: RequestedToCapacityRatio
        resources: [{name: cpu, weight: 3}, {name: example.com/gpu}]
        requestedToCapacityRatio:
          shape: [{utilization: 0, score: 0}, {utilization: 100, score: 10}]
  - name: PodTopologySpread
    args:
      defaultingType: List
      defaultConstraints:
      - {maxSkew: 1, topologyKey: topology.kubernetes.io/zone, whenUnsatisfiable: ScheduleAnyway}
  - name: NodeAffinity
    args:
      addedAffinity:
        requiredDuringSchedulingIgnoredDuringExecution:
          nodeSelectorTerms:
          - matchExpressions: [{key: disk, operator: In, values: [ssd]}]
  - name: InterPodAffinity
    args: {hardPodAffinityWeight: 10}
  - name: VolumeBinding
    args: {bindTimeoutSeconds: 5}
  - name: DefaultPreemption
    args: {minCandidateNodesPercentage: 5, minCandidateNodesAbsolute: 1}
  - name: DynamicResources
    args: {filterTimeout: 2s}
- schedulerName: b
`;
    const { profiles } = readSchedulerConfiguration(head + text).scheduler;
    expect(profiles.map(({ schedulerName }) => schedulerName)).toEqual(['a', 'b']);
    expect(profiles[0]?.percentageOfNodesToScore).toBe(30);
    expect(profiles[0]?.args).toMatchObject({
      NodeResourcesFit: {
        ignoredResources: ['example.com/foo'],
        scoringStrategy: {
          type: 'RequestedToCapacityRatio',
          resources: [
            { name: 'cpu', weight: 3 },
            { name: 'example.com/gpu', weight: 1 },
          ],
          requestedToCapacityRatio: {
            shape: [
              { utilization: 0, score: 0 },
              { utilization: 100, score: 10 },
            ],
          },
        },
      },
      PodTopologySpread: {
        defaultingType: 'List',
        defaultConstraints: [{ maxSkew: 1, topologyKey: 'topology.kubernetes.io/zone' }],
      },
      NodeAffinity: {
        addedAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{}] } },
      },
      InterPodAffinity: { hardPodAffinityWeight: 10, ignorePreferredTermsOfExistingPods: false },
      VolumeBinding: { bindTimeoutSeconds: 5 },
      DefaultPreemption: { minCandidateNodesPercentage: 5, minCandidateNodesAbsolute: 1 },
      DynamicResources: { filterTimeoutMs: 2000, bindingTimeoutMs: 600_000 },
    });
  });

  it('reads leader election', () => {
    const text =
      'leaderElection: {leaderElect: true, leaseDuration: 30s, renewDeadline: 20s, retryPeriod: 5s}';
    expect(readSchedulerConfiguration(head + text).leaderElection).toEqual({
      leaderElect: true,
      leaseDurationMs: 30_000,
      renewDeadlineMs: 20_000,
      retryPeriodMs: 5000,
    });
  });

  it.each<[string, string, string[]]>([
    ['an unknown field', 'profile: []', ['strict decoding error: unknown field "profile"']],
    [
      'an unknown field inside',
      'profiles: [{plugins: {filters: {}}}]',
      ['strict decoding error: unknown field "profiles[0].plugins.filters"'],
    ],
    [
      'a key given twice',
      'parallelism: 1\nparallelism: 2',
      ['strict decoding error: line 4: key "parallelism" already set in map'],
    ],
    ['a wrong type', 'parallelism: many', ['parallelism: must be a whole number']],
    [
      'an unknown plug-in',
      'profiles: [{plugins: {score: {enabled: [{name: Foo}]}}}]',
      ['profiles[0].plugins.score.enabled[0].name: plug-in "Foo" does not exist'],
    ],
    [
      'a plug-in at a point that it does not have',
      'profiles: [{plugins: {score: {enabled: [{name: NodeName}]}}}]',
      ['profiles[0].plugins.score.enabled: plug-in "NodeName" does not extend score'],
    ],
    [
      'no way to bind',
      'profiles: [{plugins: {bind: {disabled: [{name: DefaultBinder}]}}}]',
      ['profiles[0].plugins.bind: at least one bind plugin is needed for profile ""'],
    ],
    [
      'two profiles of one name',
      'profiles: [{schedulerName: a}, {schedulerName: a}]',
      ['profiles[1].schedulerName: Duplicate value: "profiles[0].schedulerName"'],
    ],
    [
      'nameless profiles beside others',
      'profiles: [{schedulerName: a}, {}]',
      ['profiles[1].schedulerName: Required value'],
    ],
    [
      'an extender that scores without a weight',
      'extenders: [{urlPrefix: "http://x", prioritizeVerb: p}]',
      ['extenders[0].weight: Invalid value: 0: must have a positive weight applied to it'],
    ],
    [
      'two extenders that bind',
      'extenders: [{urlPrefix: "http://x", bindVerb: b}, {urlPrefix: "http://y", bindVerb: b}]',
      [
        'extenders: Invalid value: "found 2 extenders implementing bind": only one extender can implement bind',
      ],
    ],
    [
      'managed resources that others manage, or that are no extended ones',
      'extenders: [{urlPrefix: "http://x", managedResources: [{name: example.com/gpu}, {name: cpu}]}, {urlPrefix: "http://y", managedResources: [{name: example.com/gpu}]}]',
      [
        'extenders[0].managedResources[1].name: Invalid value: "cpu": is an invalid extended resource name',
        'extenders[1].managedResources[0].name: Invalid value: "example.com/gpu": duplicate extender managed resource name',
      ],
    ],
    [
      'an extender nowhere, with a key alone, and an authority that does not count',
      'extenders: [{urlPrefix: "x:1", tlsConfig: {insecure: true, caData: YQ==, keyData: YQ==}}]',
      [
        'extenders[0].tlsConfig.insecure: specifying a root certificates file with the insecure flag is not allowed',
        'extenders[0].tlsConfig.certData: a certificate and its key must be given together',
        'extenders[0].urlPrefix: Invalid value: "x:1": must be an http or https URL',
      ],
    ],
    [
      'an unknown field of an extender',
      'extenders: [{urlPrefix: "http://x", filter: f}]',
      ['strict decoding error: unknown field "extenders[0].filter"'],
    ],
    [
      'a back-off of nothing',
      'podInitialBackoffSeconds: 0',
      ['podInitialBackoffSeconds: must be greater than 0'],
    ],
    [
      'a back-off that shrinks',
      'podInitialBackoffSeconds: 5\npodMaxBackoffSeconds: 3',
      ['podMaxBackoffSeconds: must be greater than or equal to PodInitialBackoffSeconds'],
    ],
    [
      'a share of more than everything',
      'percentageOfNodesToScore: 101',
      ['percentageOfNodesToScore: Invalid value: 101: not in valid range [0-100]'],
    ],
    [
      'an unknown strategy',
      'profiles: [{pluginConfig: [{name: NodeResourcesFit, args: {scoringStrategy: {type: Best}}}]}]',
      [
        'profiles[0].pluginConfig[0].args.scoringStrategy.type: Unsupported value: "Best": supported values: "LeastAllocated", "MostAllocated", "RequestedToCapacityRatio"',
      ],
    ],
    [
      'a ratio without a shape',
      'profiles: [{pluginConfig: [{name: NodeResourcesFit, args: {scoringStrategy: {type: RequestedToCapacityRatio}}}]}]',
      [
        'profiles[0].pluginConfig[0].args.scoringStrategy.requestedToCapacityRatio: must be specified when type is RequestedToCapacityRatio',
      ],
    ],
    [
      'default constraints beside those of the system',
      'profiles: [{pluginConfig: [{name: PodTopologySpread, args: {defaultConstraints: [{maxSkew: 1, topologyKey: z, whenUnsatisfiable: ScheduleAnyway}]}}]}]',
      [
        'profiles[0].pluginConfig[0].args.defaultingType: Invalid value: "System": when .defaultConstraints are not empty',
      ],
    ],
    [
      'arguments of another plug-in',
      'profiles: [{pluginConfig: [{name: InterPodAffinity, args: {kind: NodeAffinityArgs}}]}]',
      ['profiles[0].pluginConfig[0].args.kind: has to match plugin args: must be InterPodAffinityArgs'],
    ],
    [
      'a lease that ends before it is renewed',
      'leaderElection: {leaseDuration: 5s}',
      ['leaderElection.leaseDuration: LeaseDuration must be greater than RenewDeadline'],
    ],
  ])('refuses %s', (_, text, expected) => {
    expect(problems(text)).toEqual(expected);
  });

  it('refuses other kinds and versions', () => {
    expect(() =>
      readSchedulerConfiguration(
        'apiVersion: kubescheduler.config.k8s.io/v1beta3\nkind: KubeSchedulerConfiguration',
      ),
    ).toThrow('apiVersion and kind must be kubescheduler.config.k8s.io/v1 and KubeSchedulerConfiguration');
  });
});
