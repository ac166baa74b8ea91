import { randomInt } from 'node:crypto';
import { serviceaccounts } from '../../api/core/v1.gen.ts';
import type { Container, Pod, ServiceAccount, Volume } from '../../api/core/v1.gen.ts';
import type { DeepMutable } from '../../machinery/object.ts';
import { newForbidden } from '../../machinery/status/errors.ts';
import type { AdmissionPlugin } from './admission-chain.ts';
import type { Lookup } from './lookup.ts';

const mountPath = '/var/run/secrets/kubernetes.io/serviceaccount';
/** An hour, and a little more so that the token outlives a check of its first hour. */
const tokenSeconds = 3607;
const alphabet = 'bcdfghjklmnpqrstvwxz2456789';
const mirrorAnnotation = 'kubernetes.io/config.mirror';

/** Gives each pod its service account, the account's pull secrets, and a volume with its token (upstream's ServiceAccount). */
export function serviceAccount(lookup: Lookup): AdmissionPlugin {
  return {
    name: 'ServiceAccount',
    admit(request) {
      if (
        request.operation !== 'CREATE' ||
        request.group !== '' ||
        request.resource !== 'pods' ||
        request.subresource !== ''
      )
        return;
      const pod = request.object as DeepMutable<Pod>;
      if (pod.metadata.annotations?.[mirrorAnnotation] !== undefined) return;
      pod.spec.serviceAccountName ||= 'default';
      pod.spec.serviceAccount = pod.spec.serviceAccountName;
      const account = lookup.get(serviceaccounts, request.namespace, pod.spec.serviceAccountName);
      if (!account) {
        const { serviceAccountName } = pod.spec;
        throw newForbidden(
          { group: '', resource: 'pods' },
          request.name,
          `error looking up service account ${request.namespace}/${serviceAccountName}: serviceaccount "${serviceAccountName}" not found`,
        );
      }
      if (wantsToken(pod, account)) mountToken(pod);
      if (!pod.spec.imagePullSecrets?.length && account.imagePullSecrets?.length) {
        pod.spec.imagePullSecrets = account.imagePullSecrets.map((secret) => ({ ...secret }));
      }
    },
  };
}

function wantsToken(pod: DeepMutable<Pod>, account: ServiceAccount): boolean {
  return pod.spec.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true;
}

function mountToken(pod: DeepMutable<Pod>): void {
  const volumes = pod.spec.volumes ?? [];
  const existing = volumes.find((volume) => volume.name.startsWith('kube-api-access-'))?.name;
  const name = existing ?? freeName(volumes);
  let mounted = false;
  for (const container of [
    ...(pod.spec.initContainers ?? []),
    ...pod.spec.containers,
  ] as DeepMutable<Container>[]) {
    if (container.volumeMounts?.some((mount) => mount.mountPath === mountPath)) continue;
    container.volumeMounts = [...(container.volumeMounts ?? []), { name, readOnly: true, mountPath }];
    mounted = true;
  }
  if (mounted && existing === undefined) pod.spec.volumes = [...volumes, tokenVolume(name)];
}

function freeName(volumes: readonly { readonly name: string }[]): string {
  for (;;) {
    const suffix = Array.from({ length: 5 }, () => alphabet[randomInt(alphabet.length)]).join('');
    const name = `kube-api-access-${suffix}`;
    if (!volumes.some((volume) => volume.name === name)) return name;
  }
}

function tokenVolume(name: string): DeepMutable<Volume> {
  return {
    name,
    projected: {
      defaultMode: 0o644,
      sources: [
        { serviceAccountToken: { expirationSeconds: tokenSeconds, path: 'token' } },
        { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
        {
          downwardAPI: {
            items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }],
          },
        },
      ],
    },
  };
}
