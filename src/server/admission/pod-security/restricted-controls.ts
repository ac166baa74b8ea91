import type { Volume } from '../../../api/core/v1.gen.ts';
import { procMount, seccompProfiles } from './baseline-controls.ts';
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

const allowedVolumes = new Set([
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'image',
  'persistentVolumeClaim',
  'projected',
  'secret',
]);

const privilegeEscalation: PodCheck = ({ spec }) => {
  const names = containersOf(spec)
    .filter(({ securityContext }) => securityContext?.allowPrivilegeEscalation !== false)
    .map(({ name }) => name);
  if (names.length === 0) return undefined;
  return {
    reason: 'allowPrivilegeEscalation != false',
    detail: `${containersNamed(names)} must set securityContext.allowPrivilegeEscalation=false`,
  };
};

const droppedCapabilities: PodCheck = ({ spec }) => {
  const forbidden: string[] = [];
  const keeping: string[] = [];
  const adding: string[] = [];
  for (const { name, securityContext } of containersOf(spec)) {
    const { drop = [], add = [] } = securityContext?.capabilities ?? {};
    if (!drop.includes('ALL')) keeping.push(name);
    const bad = add.filter((one) => one !== 'NET_BIND_SERVICE');
    forbidden.push(...bad);
    if (bad.length > 0) adding.push(name);
  }
  const details: string[] = [];
  if (keeping.length > 0)
    details.push(`${containersNamed(keeping)} must set securityContext.capabilities.drop=["ALL"]`);
  if (adding.length > 0) {
    details.push(
      `${containersNamed(adding)} must not include ${quoted(distinct(forbidden))} in securityContext.capabilities.add`,
    );
  }
  return details.length > 0 ? { reason: 'unrestricted capabilities', detail: details.join('; ') } : undefined;
};

function sourceOf(volume: Volume): string {
  return Object.keys(volume).find((field) => field !== 'name') ?? 'unknown';
}

const volumeTypes: PodCheck = ({ spec }) => {
  const bad = (spec.volumes ?? []).filter((volume) => !allowedVolumes.has(sourceOf(volume)));
  if (bad.length === 0) return undefined;
  const types = distinct(bad.map(sourceOf));
  const names = bad.map(({ name }) => name);
  return {
    reason: 'restricted volume types',
    detail: `${plural(names.length, 'volume', 'volumes')} ${quoted(names)} ${plural(names.length, 'uses', 'use')} restricted volume ${plural(types.length, 'type', 'types')} ${quoted(types)}`,
  };
};

const nonRoot: PodCheck = ({ spec }) => {
  const whole = spec.securityContext?.runAsNonRoot;
  const containers = containersOf(spec);
  const root = containers.filter(({ securityContext }) => securityContext?.runAsNonRoot === false);
  const reason = 'runAsNonRoot != true';
  const who = setters(
    whole === false,
    root.map(({ name }) => name),
  );
  if (who !== '') return { reason, detail: `${who} must not set securityContext.runAsNonRoot=false` };
  if (whole) return undefined;
  const silent = containers.filter(({ securityContext }) => securityContext?.runAsNonRoot === undefined);
  if (silent.length === 0) return undefined;
  return {
    reason,
    detail: `pod or ${containersNamed(silent.map(({ name }) => name))} must set securityContext.runAsNonRoot=true`,
  };
};

const rootUser: PodCheck = ({ spec }) => {
  const names = containersOf(spec)
    .filter(({ securityContext }) => securityContext?.runAsUser === 0)
    .map(({ name }) => name);
  const who = setters(spec.securityContext?.runAsUser === 0, names);
  return who === '' ? undefined : { reason: 'runAsUser=0', detail: `${who} must not set runAsUser=0` };
};

const requiredSeccomp: PodCheck = (pod) => {
  const bad = seccompProfiles(pod);
  if (bad) return bad;
  const { spec } = pod;
  if (spec.securityContext?.seccompProfile) return undefined;
  const silent = containersOf(spec).filter(({ securityContext }) => !securityContext?.seccompProfile);
  if (silent.length === 0) return undefined;
  return {
    reason: 'seccompProfile',
    detail: `pod or ${containersNamed(silent.map(({ name }) => name))} must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"`,
  };
};

/** Pods of Windows need not meet what only Linux knows. */
function onLinux(check: PodCheck): PodCheck {
  return (pod) => (pod.spec.os?.name === 'windows' ? undefined : check(pod));
}

/** Users of a pod with a user namespace of its own are nobody on the host. */
function withHostUsers(check: PodCheck): PodCheck {
  return (pod) => (pod.spec.hostUsers === false ? undefined : check(pod));
}

/** What the restricted level of the Pod Security Standards adds, in upstream's order. */
export function restrictedControls(): Control[] {
  return [
    {
      id: 'allowPrivilegeEscalation',
      since: [
        [8, privilegeEscalation],
        [25, onLinux(privilegeEscalation)],
      ],
    },
    {
      id: 'capabilities_restricted',
      overrides: 'capabilities_baseline',
      since: [
        [22, droppedCapabilities],
        [25, onLinux(droppedCapabilities)],
      ],
    },
    { id: 'procMount_restricted', overrides: 'procMount', since: [[35, procMount]] },
    { id: 'restrictedVolumes', overrides: 'hostPathVolumes', since: [[0, volumeTypes]] },
    {
      id: 'runAsNonRoot',
      since: [
        [0, nonRoot],
        [35, withHostUsers(nonRoot)],
      ],
    },
    {
      id: 'runAsUser',
      since: [
        [23, rootUser],
        [35, withHostUsers(rootUser)],
      ],
    },
    {
      id: 'seccompProfile_restricted',
      overrides: 'seccompProfile_baseline',
      since: [
        [19, requiredSeccomp],
        [25, onLinux(requiredSeccomp)],
      ],
    },
  ];
}
