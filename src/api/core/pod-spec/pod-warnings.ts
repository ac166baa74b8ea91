import { parseQuantity } from '../../../machinery/quantity.ts';
import { labelValueErrors } from '../../../machinery/validation/names.ts';
import { deprecatedNodeLabel, warnOfNodeLabel } from '../deprecated-node-labels.ts';
import type { Container, ContainerPort, PersistentVolumeClaimSpec, Pod, PodSpec, Volume } from '../v1.gen.ts';

const oldVolumes: Readonly<Record<string, string>> = {
  photonPersistentDisk: 'deprecated in v1.11, non-functional in v1.16+',
  gitRepo: 'deprecated in v1.11, and disabled by default in v1.33+',
  scaleIO: 'deprecated in v1.16, non-functional in v1.22+',
  flocker: 'deprecated in v1.22, non-functional in v1.25+',
  storageos: 'deprecated in v1.22, non-functional in v1.25+',
  quobyte: 'deprecated in v1.22, non-functional in v1.25+',
  glusterfs: 'deprecated in v1.25, non-functional in v1.26+',
  cephfs: 'deprecated in v1.28, non-functional in v1.31+',
  rbd: 'deprecated in v1.28, non-functional in v1.31+',
};

function isFractional(text: string): boolean {
  return parseQuantity(text).nanos % 1_000_000_000n !== 0n;
}

function warnOfBytes(
  list: Readonly<Record<string, string>> | undefined,
  field: string,
  names: readonly string[],
): string[] {
  return names.flatMap((name) => {
    const value = list?.[name];
    if (value === undefined || !isFractional(value)) return [];
    return [`${field}[${name}]: fractional byte value "${value}" is invalid, must be an integer`];
  });
}

/** Upstream's warnings about a claim's spec. */
export function claimSpecWarnings({ resources }: PersistentVolumeClaimSpec, field: string): string[] {
  return [
    ...warnOfBytes(resources?.requests, `${field}.resources.requests`, ['storage']),
    ...warnOfBytes(resources?.limits, `${field}.resources.limits`, ['storage']),
  ];
}

function warnOfNodeLabels(spec: PodSpec, field: string): string[] {
  const selected = Object.keys(spec.nodeSelector ?? {})
    .sort()
    .flatMap((key) => {
      const detail = deprecatedNodeLabel(key);
      return detail === undefined ? [] : [`${field}.nodeSelector[${key}]: ${detail}`];
    });
  const affinity = spec.affinity?.nodeAffinity;
  const at = `${field}.affinity.nodeAffinity`;
  const must = affinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  const rather = affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
  const paths = [
    ...must.map((term, index) => ({
      term,
      checkValues: false,
      path: `${at}.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[${index}]`,
    })),
    ...rather.map(({ preference }, index) => ({
      term: preference,
      checkValues: true,
      path: `${at}.preferredDuringSchedulingIgnoredDuringExecution[${index}].preference`,
    })),
  ];
  return [
    ...selected,
    ...paths.flatMap(({ term, path, checkValues }) =>
      (term.matchExpressions ?? []).flatMap(({ key, values = [] }, index) => [
        ...warnOfNodeLabel(key, `${path}.matchExpressions[${index}].key`),
        ...(checkValues ? values : []).flatMap((value, at) =>
          labelValueErrors(value).map(
            (words) => `${path}.matchExpressions[${index}].values[${at}]: ${value} is invalid, ${words}`,
          ),
        ),
      ]),
    ),
  ];
}

function warnOfPodAffinity(spec: PodSpec, field: string): string[] {
  const words = 'a null labelSelector results in matching no pod';
  return (['podAffinity', 'podAntiAffinity'] as const).flatMap((kind) => {
    const at = `${field}.affinity.${kind}`;
    const affinity = spec.affinity?.[kind];
    const must = affinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
    const rather = affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
    return [
      ...must.flatMap(({ labelSelector }, index) =>
        labelSelector
          ? []
          : [`${at}.requiredDuringSchedulingIgnoredDuringExecution[${index}].labelSelector: ${words}`],
      ),
      ...rather.flatMap(({ podAffinityTerm }, index) =>
        podAffinityTerm.labelSelector
          ? []
          : [
              `${at}.preferredDuringSchedulingIgnoredDuringExecution[${index}].podAffinityTerm.labelSelector: ${words}`,
            ],
      ),
    ];
  });
}

function warnOfSpread(spec: PodSpec, field: string): string[] {
  return (spec.topologySpreadConstraints ?? []).flatMap(({ topologyKey, labelSelector }, index) => {
    const at = `${field}.topologySpreadConstraints[${index}]`;
    return [
      ...warnOfNodeLabel(topologyKey, `${at}.topologyKey`),
      ...(labelSelector ? [] : [`${at}.labelSelector: a null labelSelector results in matching no pod`]),
    ];
  });
}

function warnOfVolume(volume: Volume, at: string): string[] {
  const old = Object.entries(oldVolumes).flatMap(([kind, words]) =>
    Object.hasOwn(volume, kind) ? [`${at}.${kind}: ${words}`] : [],
  );
  const requests = volume.ephemeral?.volumeClaimTemplate?.spec.resources?.requests;
  const path = `${at}.ephemeral.volumeClaimTemplate.spec.resources.requests`;
  return [...old, ...warnOfBytes(requests, path, ['storage'])];
}

/** A path inside a volume, and how the warning names where it comes from. */
interface VolumePath {
  readonly path: string;
  readonly source: string;
}

function pathsOf(items: readonly { readonly path: string }[] | undefined, source: string): VolumePath[] {
  return (items ?? []).map(({ path }) => ({ path, source }));
}

/** Files of which one would have to be the folder of the other. */
function warnOfOverlaps({ name, configMap, secret, downwardAPI, projected }: Volume): string[] {
  const volumes: readonly (readonly [string, readonly VolumePath[]])[] = [
    [`(ConfigMap "${configMap?.name ?? ''}")`, pathsOf(configMap?.items, '')],
    [`(Secret "${secret?.secretName ?? ''}")`, pathsOf(secret?.items, '')],
    ['(DownwardAPI)', pathsOf(downwardAPI?.items, '')],
    [
      '(Projected)',
      (projected?.sources ?? []).flatMap((source) => [
        ...pathsOf(source.configMap?.items, ` (ConfigMap "${source.configMap?.name ?? ''}")`),
        ...pathsOf(source.secret?.items, ` (Secret "${source.secret?.name ?? ''}")`),
        ...pathsOf(source.downwardAPI?.items, ' (DownwardAPI)'),
        ...pathsOf(source.serviceAccountToken && [source.serviceAccountToken], ' (ServiceAccountToken)'),
      ]),
    ],
  ];
  return volumes.flatMap(([kind, paths]) =>
    paths.flatMap((later, index) =>
      paths
        .slice(0, index)
        .filter(
          ({ path }) => `${path}/`.startsWith(`${later.path}/`) || `${later.path}/`.startsWith(`${path}/`),
        )
        .map(
          (earlier) =>
            `volume "${name}" ${kind}: overlapping paths: "${later.path}"${later.source} with "${earlier.path}"${earlier.source}`,
        ),
    ),
  );
}

function warnOfEnv({ env = [] }: Container, at: string): string[] {
  const seen = new Set<string>();
  return env.flatMap(({ name, value = '' }, index) => {
    const again = seen.has(name);
    const extended = value !== `$(${name})` && value.includes(`$(${name})`);
    seen.add(name);
    if (!again || extended) return [];
    return [
      `${at}.env[${index}]: hides previous definition of "${name}", which may be dropped when using apply`,
    ];
  });
}

function warnOfPorts(spec: PodSpec, field: string): string[] {
  const numbers = new Map<string, string>();
  const names = new Map<string, string>();
  const ports = spec.containers.flatMap(({ ports: list = [] }, index) =>
    list.map((port, position): [ContainerPort, string] => [
      port,
      `${field}.containers[${index}].ports[${position}]`,
    ]),
  );
  return ports.flatMap(([port, at]) => {
    const key = [port.containerPort, port.protocol, port.hostPort ?? 0, port.hostIP ?? ''].join('/');
    const first = numbers.get(key);
    const named = port.name ? names.get(port.name) : undefined;
    if (first === undefined) numbers.set(key, at);
    if (port.name && named === undefined) names.set(port.name, at);
    const warnings: string[] = [];
    if (named !== undefined && named.split('.ports')[0] !== at.split('.ports')[0]) {
      warnings.push(
        `${at}: duplicate port name "${port.name}" with ${named}, services and probes that select ports by name will use ${named}`,
      );
    }
    if (first !== undefined) warnings.push(`${at}: duplicate port definition with ${first}`);
    return warnings;
  });
}

function warnOfAliases(spec: PodSpec, field: string): string[] {
  const ips = (spec.hostAliases ?? []).map(({ ip }) => ip);
  return ips.flatMap((ip, index) =>
    ips.indexOf(ip) < index ? [`${field}.hostAliases[${index}].ip: duplicate ip "${ip}"`] : [],
  );
}

/** Upstream's warnings about a pod spec at this path. */
export function podSpecWarnings(spec: PodSpec, field: string): string[] {
  const lists = ['initContainers', 'containers'] as const;
  return [
    ...warnOfNodeLabels(spec, field),
    ...warnOfSpread(spec, field),
    ...(spec.volumes ?? []).flatMap((volume, index) => warnOfVolume(volume, `${field}.volumes[${index}]`)),
    ...(spec.volumes ?? []).flatMap(warnOfOverlaps),
    ...warnOfAliases(spec, field),
    ...(spec.imagePullSecrets ?? []).flatMap(({ name }, index) =>
      name ? [] : [`${field}.imagePullSecrets[${index}].name: invalid empty name ""`],
    ),
    ...lists.flatMap((list) =>
      (spec[list] ?? []).flatMap((container, index) => {
        const at = `${field}.${list}[${index}]`;
        return [
          ...warnOfBytes(container.resources?.limits, `${at}.resources.limits`, [
            'memory',
            'ephemeral-storage',
          ]),
          ...warnOfBytes(container.resources?.requests, `${at}.resources.requests`, [
            'memory',
            'ephemeral-storage',
          ]),
          ...warnOfEnv(container, at),
        ];
      }),
    ),
    ...warnOfPorts(spec, field),
    ...warnOfPodAffinity(spec, field),
  ];
}

const sysctlAnnotations = [
  'security.alpha.kubernetes.io/sysctls',
  'security.alpha.kubernetes.io/unsafe-sysctls',
];

/** Upstream's warnings about a new pod. */
export function podWarnings(pod: Pod): string[] {
  const annotations = sysctlAnnotations
    .filter((key) => Object.hasOwn(pod.metadata.annotations ?? {}, key))
    .map((key) => `metadata.annotations[${key}]: non-functional in v1.11+; use the "sysctls" field instead`);
  return [...podSpecWarnings(pod.spec, 'spec'), ...annotations];
}
