import type { Container, PersistentVolumeSpec, PodSpec, Volume } from './v1.gen.ts';

/** The secrets that a pod reads: for pulling images, in its environment, in its volumes. Some may stand there twice. */
export function podSecretNames(spec: PodSpec): string[] {
  return [
    ...(spec.imagePullSecrets ?? []).map(({ name }) => name),
    ...containersOf(spec).flatMap(({ env = [], envFrom = [] }) => [
      ...envFrom.map(({ secretRef }) => secretRef?.name),
      ...env.map(({ valueFrom }) => valueFrom?.secretKeyRef?.name),
    ]),
    ...(spec.volumes ?? []).flatMap(volumeSecretNames),
  ].filter((name): name is string => name !== undefined && name !== '');
}

/** The config maps that a pod reads. */
export function podConfigMapNames(spec: PodSpec): string[] {
  return [
    ...containersOf(spec).flatMap(({ env = [], envFrom = [] }) => [
      ...envFrom.map(({ configMapRef }) => configMapRef?.name),
      ...env.map(({ valueFrom }) => valueFrom?.configMapKeyRef?.name),
    ]),
    ...(spec.volumes ?? []).flatMap(({ configMap, projected }) => [
      configMap?.name,
      ...(projected?.sources ?? []).map((source) => source.configMap?.name),
    ]),
  ].filter((name): name is string => name !== undefined && name !== '');
}

/** The claims that a pod's volumes are, those made for it included. */
export function podClaimNames(podName: string, { volumes = [] }: PodSpec): string[] {
  return volumes.flatMap(({ name, persistentVolumeClaim, ephemeral }) => {
    if (persistentVolumeClaim) return [persistentVolumeClaim.claimName];
    return ephemeral ? [`${podName}-${name}`] : [];
  });
}

/** The secrets that a node reads to mount a persistent volume, with their namespaces; `claimNamespace` is where they are unless they say otherwise. */
export function volumeSecrets(
  spec: PersistentVolumeSpec,
  claimNamespace: string,
): { readonly namespace: string; readonly name: string }[] {
  const { azureFile, cephfs, cinder, csi, flexVolume, iscsi, rbd, scaleIO, storageos } = spec;
  const references = [
    cephfs?.secretRef,
    cinder?.secretRef,
    csi?.nodePublishSecretRef,
    csi?.nodeStageSecretRef,
    csi?.nodeExpandSecretRef,
    flexVolume?.secretRef,
    iscsi?.secretRef,
    rbd?.secretRef,
    scaleIO?.secretRef,
    storageos?.secretRef,
    azureFile && { name: azureFile.secretName, namespace: azureFile.secretNamespace },
  ];
  return references.flatMap((reference) =>
    reference?.name ? [{ namespace: reference.namespace || claimNamespace, name: reference.name }] : [],
  );
}

type EnvironmentReader = Pick<Container, 'name' | 'env' | 'envFrom'>;

function containersOf(spec: PodSpec): readonly EnvironmentReader[] {
  return [...(spec.initContainers ?? []), ...spec.containers, ...(spec.ephemeralContainers ?? [])];
}

function volumeSecretNames(volume: Volume): (string | undefined)[] {
  const { azureFile, cephfs, cinder, csi, flexVolume, iscsi, projected, rbd, scaleIO, secret, storageos } =
    volume;
  return [
    secret?.secretName,
    azureFile?.secretName,
    cephfs?.secretRef?.name,
    cinder?.secretRef?.name,
    csi?.nodePublishSecretRef?.name,
    flexVolume?.secretRef?.name,
    iscsi?.secretRef?.name,
    rbd?.secretRef?.name,
    scaleIO?.secretRef?.name,
    storageos?.secretRef?.name,
    ...(projected?.sources ?? []).map((source) => source.secret?.name),
  ];
}
