import { randomInt } from 'node:crypto';
import { serviceaccounts } from '../../api/core/v1.gen.ts';
import type { Container, Pod, ServiceAccount, Volume } from '../../api/core/v1.gen.ts';
import type { DeepMutable, KubeObject } from '../../machinery/object.ts';
import type { AdmissionPlugin, AdmissionRequest } from './admission-chain.ts';
import type { Lookup } from './lookup.ts';
import { newRefusal } from './refuse.ts';

const mountPath = '/var/run/secrets/kubernetes.io/serviceaccount';
/** An hour, and a little more so that the token outlives a check of its first hour. */
const tokenSeconds = 3607;
const alphabet = 'bcdfghjklmnpqrstvwxz2456789';
const mirrorAnnotation = 'kubernetes.io/config.mirror';
const enforceAnnotation = 'kubernetes.io/enforce-mountable-secrets';

/**
 * Gives each pod its service account, the account's pull secrets, and a volume with its token; keeps pods of an account that
 * says so from secrets which the account does not list (upstream's ServiceAccount).
 */
export function serviceAccount(lookup: Lookup): AdmissionPlugin {
  return {
    name: 'ServiceAccount',
    admit(request) {
      if (!isPod(request) || request.operation !== 'CREATE' || request.subresource !== '') return;
      const pod = request.object as DeepMutable<Pod>;
      if (isMirror(pod)) return;
      pod.spec.serviceAccountName ||= 'default';
      pod.spec.serviceAccount = pod.spec.serviceAccountName;
      const account = accountOf(lookup, request, pod);
      if (wantsToken(pod, account)) mountToken(pod);
      if (!pod.spec.imagePullSecrets?.length && account.imagePullSecrets?.length) {
        pod.spec.imagePullSecrets = account.imagePullSecrets.map((secret) => ({ ...secret }));
      }
    },
    validate(request) {
      if (!isPod(request)) return;
      const pod = request.object as KubeObject as Pod;
      const addsContainers = request.operation === 'UPDATE' && request.subresource === 'ephemeralcontainers';
      const creates = request.operation === 'CREATE' && request.subresource === '';
      const refusal = addsContainers
        ? unlistedSecretOf(accountOf(lookup, request, pod), ephemeralOnly(pod))
        : creates
          ? isMirror(pod)
            ? mirrorRefusal(pod)
            : unlistedSecretOf(accountOf(lookup, request, pod), pod)
          : undefined;
      if (refusal !== undefined) throw newRefusal(request, refusal);
    },
  };
}

function isPod({ group, resource }: AdmissionRequest): boolean {
  return group === '' && resource === 'pods';
}

function isMirror({ metadata }: Pod): boolean {
  return metadata.annotations?.[mirrorAnnotation] !== undefined;
}

function accountOf(lookup: Lookup, request: AdmissionRequest, { spec }: Pod): ServiceAccount {
  const { serviceAccountName = '' } = spec;
  const account = lookup.get<ServiceAccount>(serviceaccounts, request.namespace, serviceAccountName);
  if (account) return account;
  throw newRefusal(
    request,
    `error looking up service account ${request.namespace}/${serviceAccountName}: serviceaccount "${serviceAccountName}" not found`,
  );
}

/** A mirror pod uses nothing that an account could give. */
function mirrorRefusal({ spec }: Pod): string | undefined {
  if (spec.serviceAccountName) return 'a mirror pod may not reference service accounts';
  const readsSecret = (container: { readonly env?: Container['env'] }): boolean =>
    container.env?.some(({ valueFrom }) => valueFrom?.secretKeyRef) ?? false;
  if (
    spec.volumes?.some(({ secret }) => secret) ||
    [...(spec.initContainers ?? []), ...spec.containers].some(readsSecret)
  )
    return 'a mirror pod may not reference secrets';
  const projectsToken = spec.volumes?.some(({ projected }) =>
    projected?.sources?.some(({ serviceAccountToken }) => serviceAccountToken),
  );
  return projectsToken ? 'a mirror pod may not use ServiceAccountToken volume projections' : undefined;
}

function ephemeralOnly(pod: Pod): Pod {
  const { ephemeralContainers = [] } = pod.spec;
  return { ...pod, spec: { containers: [], ephemeralContainers } };
}

type EnvironmentReader = Pick<Container, 'name' | 'env' | 'envFrom'>;

/** Says which secret the pod reads although its account, which limits its pods to what it lists, does not list it. */
function unlistedSecretOf(account: ServiceAccount, { spec }: Pod): string | undefined {
  if (!isTrue(account.metadata.annotations?.[enforceAnnotation])) return undefined;
  const name = account.metadata.name ?? '';
  const listed = new Set(account.secrets?.map((secret) => secret.name));
  for (const { secret } of spec.volumes ?? []) {
    if (secret && !listed.has(secret.secretName))
      return `volume with secret.secretName="${secret.secretName}" is not allowed because service account ${name} does not reference that secret`;
  }
  const kinds: readonly (readonly [string, readonly EnvironmentReader[]])[] = [
    ['init container', spec.initContainers ?? []],
    ['container', spec.containers],
    ['ephemeral container', spec.ephemeralContainers ?? []],
  ];
  for (const [kind, containers] of kinds) {
    for (const container of containers) {
      const read = container.env?.find(({ valueFrom }) => {
        const reference = valueFrom?.secretKeyRef;
        return reference && !listed.has(reference.name);
      });
      if (read)
        return `${kind} ${container.name} with envVar ${read.name} referencing secret.secretName="${read.valueFrom?.secretKeyRef?.name ?? ''}" is not allowed because service account ${name} does not reference that secret`;
    }
    for (const container of containers) {
      const read = container.envFrom?.find(({ secretRef }) => secretRef && !listed.has(secretRef.name));
      if (read)
        return `${kind} ${container.name} with envFrom referencing secret.secretName="${read.secretRef?.name ?? ''}" is not allowed because service account ${name} does not reference that secret`;
    }
  }
  const pulled = new Set(account.imagePullSecrets?.map((secret) => secret.name));
  const stranger = spec.imagePullSecrets?.find((secret) => !pulled.has(secret.name));
  return (
    stranger &&
    `imagePullSecret: "${stranger.name ?? ''}" is not allowed because service account ${name} does not reference that imagePullSecret`
  );
}

function isTrue(value: string | undefined): boolean {
  return value !== undefined && ['1', 't', 'T', 'true', 'TRUE', 'True'].includes(value);
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
