import type { LifecycleHandler, Probe } from '../../../api/core/v1.gen.ts';
import {
  type Control,
  type PodCheck,
  containersNamed,
  containersOf,
  distinct,
  plural,
  quoted,
  setters,
} from './check.ts';

const appArmorPrefix = 'container.apparmor.security.beta.kubernetes.io/';
const seccompPod = 'seccomp.security.alpha.kubernetes.io/pod';
const seccompContainer = 'container.seccomp.security.alpha.kubernetes.io/';
const capabilities = new Set([
  'AUDIT_WRITE',
  'CHOWN',
  'DAC_OVERRIDE',
  'FOWNER',
  'FSETID',
  'KILL',
  'MKNOD',
  'NET_BIND_SERVICE',
  'SETFCAP',
  'SETGID',
  'SETPCAP',
  'SETUID',
  'SYS_CHROOT',
]);
const sysctls: readonly (readonly [minor: number, names: readonly string[]])[] = [
  [
    0,
    [
      'kernel.shm_rmid_forced',
      'net.ipv4.ip_local_port_range',
      'net.ipv4.tcp_syncookies',
      'net.ipv4.ping_group_range',
      'net.ipv4.ip_unprivileged_port_start',
    ],
  ],
  [27, ['net.ipv4.ip_local_reserved_ports']],
  [
    29,
    [
      'net.ipv4.tcp_keepalive_time',
      'net.ipv4.tcp_fin_timeout',
      'net.ipv4.tcp_keepalive_intvl',
      'net.ipv4.tcp_keepalive_probes',
    ],
  ],
  [32, ['net.ipv4.tcp_rmem', 'net.ipv4.tcp_wmem']],
];

/** Profiles of seccomp or AppArmor that confine a container. */
function confines(type: string): boolean {
  return type === 'RuntimeDefault' || type === 'Localhost';
}

const appArmor: PodCheck = ({ metadata, spec }) => {
  const bad: string[] = [];
  const podType = spec.securityContext?.appArmorProfile?.type;
  const podIsBad = podType !== undefined && !confines(podType);
  if (podIsBad) bad.push(podType);
  const containers = containersOf(spec).flatMap(({ name, securityContext }) => {
    const type = securityContext?.appArmorProfile?.type;
    if (type === undefined || confines(type)) return [];
    bad.push(type);
    return [name];
  });
  const annotations = Object.entries(metadata.annotations ?? {})
    .filter(
      ([key, value]) =>
        key.startsWith(appArmorPrefix) &&
        value !== '' &&
        value !== 'runtime/default' &&
        !value.startsWith('localhost/'),
    )
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .sort();
  const who = [
    setters(podIsBad, containers),
    annotations.length > 0 ? plural(annotations.length, 'annotation', 'annotations') : '',
  ].filter((part) => part !== '');
  if (who.length === 0) return undefined;
  const values = [...distinct(bad), ...annotations];
  return {
    reason: plural(values.length, 'forbidden AppArmor profile', 'forbidden AppArmor profiles'),
    detail: `${who.join(' and ')} must not set AppArmor profile type to ${quoted(values)}`,
  };
};

const addedCapabilities: PodCheck = ({ spec }) => {
  const forbidden: string[] = [];
  const names = containersOf(spec).flatMap(({ name, securityContext }) => {
    const bad = (securityContext?.capabilities?.add ?? []).filter((one) => !capabilities.has(one));
    forbidden.push(...bad);
    return bad.length > 0 ? [name] : [];
  });
  if (names.length === 0) return undefined;
  return {
    reason: 'non-default capabilities',
    detail: `${containersNamed(names)} must not include ${quoted(distinct(forbidden))} in securityContext.capabilities.add`,
  };
};

const hostNamespaces: PodCheck = ({ spec }) => {
  const shared = (['hostNetwork', 'hostPID', 'hostIPC'] as const).filter((field) => spec[field]);
  const detail = shared.map((field) => `${field}=true`).join(', ');
  return shared.length > 0 ? { reason: 'host namespaces', detail } : undefined;
};

const hostPathVolumes: PodCheck = ({ spec }) => {
  const names = (spec.volumes ?? []).filter(({ hostPath }) => hostPath).map(({ name }) => name);
  if (names.length === 0) return undefined;
  return {
    reason: 'hostPath volumes',
    detail: `${plural(names.length, 'volume', 'volumes')} ${quoted(names)}`,
  };
};

const hostPorts: PodCheck = ({ spec }) => {
  const taken: string[] = [];
  const names = containersOf(spec).flatMap(({ name, ports = [] }) => {
    const own = ports.flatMap(({ hostPort }) => (hostPort ? [String(hostPort)] : []));
    taken.push(...own);
    return own.length > 0 ? [name] : [];
  });
  if (names.length === 0) return undefined;
  const listed = distinct(taken);
  return {
    reason: 'hostPort',
    detail: `${containersNamed(names)} ${plural(names.length, 'uses', 'use')} ${plural(listed.length, 'hostPort', 'hostPorts')} ${listed.join(', ')}`,
  };
};

function hostsOf(handler: Probe | LifecycleHandler | undefined): string[] {
  return [handler?.httpGet?.host, handler?.tcpSocket?.host].flatMap((host) => (host ? [host] : []));
}

const probeHosts: PodCheck = ({ spec }) => {
  const hosts: string[] = [];
  const bad = containersOf(spec).flatMap((container) => {
    const { lifecycle, livenessProbe, readinessProbe, startupProbe } = container;
    const own = [
      livenessProbe,
      readinessProbe,
      startupProbe,
      lifecycle?.postStart,
      lifecycle?.preStop,
    ].flatMap(hostsOf);
    hosts.push(...own);
    return own.length > 0 ? [container.name] : [];
  });
  const names = distinct(bad);
  if (names.length === 0) return undefined;
  const listed = distinct(hosts);
  return {
    reason: 'probe or lifecycle host',
    detail: `${containersNamed(names)} ${plural(names.length, 'uses', 'use')} ${plural(listed.length, 'probe or lifecycle host', 'probe or lifecycle hosts')} ${quoted(listed)}`,
  };
};

const privileged: PodCheck = ({ spec }) => {
  const names = containersOf(spec)
    .filter(({ securityContext }) => securityContext?.privileged)
    .map(({ name }) => name);
  if (names.length === 0) return undefined;
  return {
    reason: 'privileged',
    detail: `${containersNamed(names)} must not set securityContext.privileged=true`,
  };
};

/** The `/proc` of a container keeps its masks. */
export const procMount: PodCheck = ({ spec }) => {
  const types: string[] = [];
  const names = containersOf(spec).flatMap(({ name, securityContext }) => {
    const type = securityContext?.procMount;
    if (type === undefined || type === 'Default') return [];
    types.push(type);
    return [name];
  });
  if (names.length === 0) return undefined;
  return {
    reason: 'procMount',
    detail: `${containersNamed(names)} must not set securityContext.procMount to ${quoted(distinct(types))}`,
  };
};

function seLinux(allowed: readonly string[]): PodCheck {
  return ({ spec }) => {
    const types: string[] = [];
    let user = false;
    let role = false;
    const isBad = (options: { type?: string; user?: string; role?: string } | undefined): boolean => {
      if (!options) return false;
      const badType = !allowed.includes(options.type ?? '');
      if (badType) types.push(options.type ?? '');
      user ||= Boolean(options.user);
      role ||= Boolean(options.role);
      return badType || Boolean(options.user) || Boolean(options.role);
    };
    const pod = isBad(spec.securityContext?.seLinuxOptions);
    const names = containersOf(spec)
      .filter(({ securityContext }) => isBad(securityContext?.seLinuxOptions))
      .map(({ name }) => name);
    const who = setters(pod, names);
    if (who === '') return undefined;
    const listed = distinct(types);
    const what = [
      ...(listed.length > 0 ? [`${plural(listed.length, 'type', 'types')} ${quoted(listed)}`] : []),
      ...(user ? ['user may not be set'] : []),
      ...(role ? ['role may not be set'] : []),
    ];
    return {
      reason: 'seLinuxOptions',
      detail: `${who} set forbidden securityContext.seLinuxOptions: ${what.join('; ')}`,
    };
  };
}

const seccompAnnotations: PodCheck = ({ metadata, spec }) => {
  const keys = [seccompPod, ...containersOf(spec).map(({ name }) => `${seccompContainer}${name}`)];
  const bad = distinct(
    keys.flatMap((key) => {
      const value = metadata.annotations?.[key];
      const fine =
        value === undefined ||
        value === 'runtime/default' ||
        value === 'docker/default' ||
        value.startsWith('localhost/');
      return fine ? [] : [`${key}=${JSON.stringify(value)}`];
    }),
  );
  if (bad.length === 0) return undefined;
  return {
    reason: 'seccompProfile',
    detail: `forbidden ${plural(bad.length, 'annotation', 'annotations')} ${bad.join(', ')}`,
  };
};

/** Seccomp profiles that are given confine. */
export const seccompProfiles: PodCheck = ({ spec }) => {
  const types: string[] = [];
  const isBad = (type: string | undefined): boolean => {
    if (type === undefined || confines(type)) return false;
    types.push(type);
    return true;
  };
  const pod = isBad(spec.securityContext?.seccompProfile?.type);
  const names = containersOf(spec)
    .filter(({ securityContext }) => isBad(securityContext?.seccompProfile?.type))
    .map(({ name }) => name);
  const who = setters(pod, names);
  if (who === '') return undefined;
  return {
    reason: 'seccompProfile',
    detail: `${who} must not set securityContext.seccompProfile.type to ${quoted(distinct(types))}`,
  };
};

function sysctlsOf(minor: number): PodCheck {
  const allowed = new Set(sysctls.filter(([since]) => since <= minor).flatMap(([, names]) => names));
  return ({ spec }) => {
    const bad = (spec.securityContext?.sysctls ?? [])
      .map(({ name }) => name)
      .filter((name) => !allowed.has(name));
    return bad.length > 0 ? { reason: 'forbidden sysctls', detail: bad.join(', ') } : undefined;
  };
}

const hostProcess: PodCheck = ({ spec }) => {
  const pod = spec.securityContext?.windowsOptions?.hostProcess === true;
  const names = containersOf(spec)
    .filter(({ securityContext }) => securityContext?.windowsOptions?.hostProcess)
    .map(({ name }) => name);
  const who = setters(pod, names);
  if (who === '') return undefined;
  return {
    reason: 'hostProcess',
    detail: `${who} must not set securityContext.windowsOptions.hostProcess=true`,
  };
};

const seLinuxTypes = ['', 'container_t', 'container_init_t', 'container_kvm_t'];

/** The baseline level of the Pod Security Standards, in upstream's order. */
export function baselineControls(): Control[] {
  return [
    { id: 'appArmorProfile', since: [[0, appArmor]] },
    { id: 'capabilities_baseline', since: [[0, addedCapabilities]] },
    { id: 'hostNamespaces', since: [[0, hostNamespaces]] },
    { id: 'hostPathVolumes', since: [[0, hostPathVolumes]] },
    { id: 'hostPorts', since: [[0, hostPorts]] },
    { id: 'hostProbesAndHostLifecycle', since: [[34, probeHosts]] },
    { id: 'privileged', since: [[0, privileged]] },
    {
      id: 'procMount',
      since: [
        [0, procMount],
        [35, (pod) => (pod.spec.hostUsers === false ? undefined : procMount(pod))],
      ],
    },
    {
      id: 'seLinuxOptions',
      since: [
        [0, seLinux(seLinuxTypes)],
        [31, seLinux([...seLinuxTypes, 'container_engine_t'])],
      ],
    },
    {
      id: 'seccompProfile_baseline',
      since: [
        [0, seccompAnnotations],
        [19, seccompProfiles],
      ],
    },
    { id: 'sysctls', since: sysctls.map(([minor]) => [minor, sysctlsOf(minor)] as const) },
    { id: 'windowsHostProcess', since: [[0, hostProcess]] },
  ];
}
