import type { ConfigMap, Container, KeyToPath, Pod, Secret } from '../../api/core/v1.gen.ts';
import type { DownwardAPIVolumeFile, Volume, VolumeProjection } from '../../api/core/v1.gen.ts';
import { fieldValue, type PodAddresses } from '../env/field-ref.ts';
import { resourceValue, type Allocatable } from '../env/resource-field.ts';
import type { Payload, PayloadFile } from './atomic-writer.ts';
import { VolumeError } from './volume-error.ts';

/** What payload volumes read. */
export interface PayloadContext {
  readonly pod: Pod;
  readonly addresses: PodAddresses;
  readonly allocatable: Allocatable;
  configMap(name: string): Promise<ConfigMap | undefined>;
  secret(name: string): Promise<Secret | undefined>;
  /** A token of the pod's service account; an empty audience is the API server's. */
  token(audience: string, expirationSeconds: number): Promise<{ readonly token: string }>;
}

const DEFAULT_MODE = 0o644;
const DEFAULT_TOKEN_SECONDS = 3600;

/** The files of a configMap, secret, downwardAPI or projected volume; undefined for other kinds. Throws `VolumeError`. */
export function volumePayload(volume: Volume, context: PayloadContext): Promise<Payload> | undefined {
  if (volume.configMap)
    return projectionPayload({ configMap: volume.configMap }, volume.configMap.defaultMode, context);
  if (volume.secret) {
    const { secretName, defaultMode, ...rest } = volume.secret;
    return projectionPayload({ secret: { ...rest, name: secretName ?? '' } }, defaultMode, context);
  }
  if (volume.downwardAPI) {
    const { items, defaultMode } = volume.downwardAPI;
    return projectionPayload({ downwardAPI: items ? { items } : {} }, defaultMode, context);
  }
  if (volume.projected)
    return mergedPayload(volume.projected.sources ?? [], volume.projected.defaultMode, context);
  return undefined;
}

/** Whether the volume's files must not reach a disk. */
export function isConfidential(volume: Volume): boolean {
  const sources = volume.projected?.sources ?? [];
  return volume.secret !== undefined || sources.some((source) => source.secret ?? source.serviceAccountToken);
}

async function mergedPayload(
  sources: readonly VolumeProjection[],
  defaultMode: number | undefined,
  context: PayloadContext,
): Promise<Payload> {
  const payloads = await Promise.all(
    sources.map((source) => projectionPayload(source, defaultMode, context)),
  );
  return new Map(payloads.flatMap((payload) => [...payload]));
}

async function projectionPayload(
  source: VolumeProjection,
  defaultMode: number | undefined,
  context: PayloadContext,
): Promise<Payload> {
  if (source.clusterTrustBundle ?? source.podCertificate) {
    const kind = source.clusterTrustBundle ? 'clusterTrustBundle' : 'podCertificate';
    throw new VolumeError(`projected volumes cannot have a source of kind ${kind} on this node`);
  }
  const mode = defaultMode ?? DEFAULT_MODE;
  if (source.configMap) return configMapPayload(source.configMap, mode, context);
  if (source.secret) return secretPayload(source.secret, mode, context);
  if (source.downwardAPI) return downwardPayload(source.downwardAPI.items ?? [], mode, context);
  if (source.serviceAccountToken) return tokenPayload(source.serviceAccountToken, mode, context);
  return new Map();
}

interface Selection {
  readonly name?: string;
  readonly items?: readonly KeyToPath[];
  readonly optional?: boolean;
}

async function configMapPayload(source: Selection, mode: number, context: PayloadContext): Promise<Payload> {
  const { name = '' } = source;
  const configMap = await context.configMap(name);
  if (!configMap && source.optional !== true) throw new VolumeError(`configmap "${name}" not found`);
  const data = new Map<string, Uint8Array>();
  for (const [key, value] of Object.entries(configMap?.data ?? {})) data.set(key, Buffer.from(value, 'utf8'));
  for (const [key, value] of Object.entries(configMap?.binaryData ?? {}))
    data.set(key, Buffer.from(value, 'base64'));
  return select(data, source, {
    mode,
    missing: (key) => `configmap references non-existent config key: ${key}`,
  });
}

async function secretPayload(source: Selection, mode: number, context: PayloadContext): Promise<Payload> {
  const { name = '' } = source;
  const secret = await context.secret(name);
  if (!secret && source.optional !== true) throw new VolumeError(`secret "${name}" not found`);
  const data = new Map(
    Object.entries(secret?.data ?? {}).map(([key, value]) => [key, Buffer.from(value, 'base64')] as const),
  );
  return select(data, source, { mode, missing: (key) => `references non-existent secret key: ${key}` });
}

function select(
  data: ReadonlyMap<string, Uint8Array>,
  { items, optional }: Selection,
  { mode, missing }: { readonly mode: number; readonly missing: (key: string) => string },
): Payload {
  if (!items || items.length === 0)
    return new Map([...data].map(([key, value]) => [key, { data: value, mode }]));
  const files = new Map<string, PayloadFile>();
  for (const item of items) {
    const value = data.get(item.key);
    if (value) files.set(item.path, { data: value, mode: item.mode ?? mode });
    else if (optional !== true) throw new VolumeError(missing(item.key));
  }
  return files;
}

function downwardPayload(
  items: readonly DownwardAPIVolumeFile[],
  mode: number,
  context: PayloadContext,
): Payload {
  return new Map(
    items.map((item) => [
      item.path,
      { data: Buffer.from(downwardValue(item, context)), mode: item.mode ?? mode },
    ]),
  );
}

function downwardValue(item: DownwardAPIVolumeFile, context: PayloadContext): string {
  const { pod, addresses, allocatable } = context;
  if (item.fieldRef) {
    const value = fieldValue(pod, item.fieldRef.fieldPath, addresses);
    if (value === undefined) throw new VolumeError(`unsupported fieldPath: ${item.fieldRef.fieldPath}`);
    return value;
  }
  if (!item.resourceFieldRef) return '';
  const { containerName } = item.resourceFieldRef;
  const all: readonly Container[] = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])];
  const container = all.find((one) => one.name === containerName);
  if (!container) throw new VolumeError(`container ${containerName} not found`);
  return resourceValue(container, item.resourceFieldRef, allocatable);
}

async function tokenPayload(
  source: { readonly audience?: string; readonly expirationSeconds?: number; readonly path: string },
  mode: number,
  context: PayloadContext,
): Promise<Payload> {
  const { token } = await context.token(
    source.audience ?? '',
    source.expirationSeconds ?? DEFAULT_TOKEN_SECONDS,
  );
  const uid = commonUser(context.pod);
  const grouped = context.pod.spec?.securityContext?.fsGroup !== undefined;
  const file: PayloadFile = {
    data: Buffer.from(token),
    mode: uid !== undefined || grouped ? 0o600 : mode,
    ...(uid !== undefined && { uid }),
  };
  return new Map([[source.path, file]]);
}

/** The user that all containers run as, when the spec fixes one. */
function commonUser(pod: Pod): number | undefined {
  const all = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])];
  const users = new Set(
    all.map((one) => one.securityContext?.runAsUser ?? pod.spec?.securityContext?.runAsUser),
  );
  return users.size === 1 ? [...users][0] : undefined;
}
