import type { Volume } from '../../api/core/v1.gen.ts';
import type { TabText } from './tab-text.ts';

/** What each volume of a pod is made of. */
export function describeVolumes(text: TabText, volumes: readonly Volume[]): void {
  if (volumes.length === 0) {
    text.line(0, 'Volumes:', '<none>');
    return;
  }
  text.line(0, 'Volumes:');
  for (const volume of volumes) {
    text.line(1, `${volume.name}:`);
    for (const [label, value] of volumeLines(volume)) text.line(2, `${label}:`, value);
  }
}

type Line = readonly [label: string, value: string];

function volumeLines(volume: Volume): Line[] {
  const { configMap, secret, emptyDir, hostPath, projected, downwardAPI, persistentVolumeClaim } = volume;
  if (configMap)
    return [
      ['Type', 'ConfigMap (a volume populated by a ConfigMap)'],
      ['Name', configMap.name ?? ''],
      ['Optional', String(configMap.optional === true)],
    ];
  if (secret)
    return [
      ['Type', 'Secret (a volume populated by a Secret)'],
      ['SecretName', secret.secretName ?? ''],
      ['Optional', String(secret.optional === true)],
    ];
  if (emptyDir)
    return [
      ['Type', "EmptyDir (a temporary directory that shares a pod's lifetime)"],
      ['Medium', emptyDir.medium ?? ''],
      ['SizeLimit', emptyDir.sizeLimit ?? '<unset>'],
    ];
  if (hostPath)
    return [
      ['Type', 'HostPath (bare host directory volume)'],
      ['Path', hostPath.path],
      ['HostPathType', hostPath.type ?? ''],
    ];
  if (projected)
    return [
      ['Type', 'Projected (a volume that contains injected data from multiple sources)'],
      ...(projected.sources ?? []).flatMap(sourceLines),
    ];
  if (downwardAPI) return [['Type', 'DownwardAPI (a volume populated by information about the pod)']];
  if (persistentVolumeClaim)
    return [
      ['Type', 'PersistentVolumeClaim (a reference to a PersistentVolumeClaim in the same namespace)'],
      ['ClaimName', persistentVolumeClaim.claimName],
      ['ReadOnly', String(persistentVolumeClaim.readOnly === true)],
    ];
  return [['Type', Object.keys(volume).find((key) => key !== 'name') ?? '<unknown>']];
}

type Source = NonNullable<NonNullable<Volume['projected']>['sources']>[number];

function sourceLines({ serviceAccountToken, configMap, secret, downwardAPI }: Source): Line[] {
  return [
    ...(serviceAccountToken
      ? [['TokenExpirationSeconds', String(serviceAccountToken.expirationSeconds ?? 3600)] as const]
      : []),
    ...(configMap
      ? ([
          ['ConfigMapName', configMap.name ?? ''],
          ['Optional', String(configMap.optional === true)],
        ] as const)
      : []),
    ...(secret ? [['SecretName', secret.name ?? ''] as const] : []),
    ...(downwardAPI ? [['DownwardAPI', 'true'] as const] : []),
  ];
}
