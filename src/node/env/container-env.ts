import type {
  ConfigMap,
  Container,
  EnvFromSource,
  EnvVarSource,
  FileKeySelector,
  Pod,
  Secret,
} from '../../api/core/v1.gen.ts';
import { WaitingError } from '../waiting-error.ts';
import { EnvFileError, parseEnvFile } from './env-file.ts';
import { expandVariables } from './expand.ts';
import { fieldValue, type PodAddresses } from './field-ref.ts';
import { resourceValue, type Allocatable } from './resource-field.ts';
import type { EnvEntry } from './service-env.ts';

/** What the environment of a container is made from. */
export interface EnvSources {
  readonly pod: Pod;
  readonly addresses: PodAddresses;
  readonly allocatable: Allocatable;
  /** Variables of services; anything the container sets itself goes before them. */
  readonly services: readonly EnvEntry[];
  configMap(name: string): Promise<ConfigMap | undefined>;
  secret(name: string): Promise<Secret | undefined>;
  /** The text of a file in one of the pod's volumes; undefined when there is none. */
  file(volume: string, path: string): Promise<string | undefined>;
}

/**
 * The complete environment of a container: `envFrom`, then `env` with `$(NAME)` expanded against what stands before it,
 * then the services' variables that nothing overrides. Throws `WaitingError` `CreateContainerConfigError`.
 */
export async function containerEnv(
  container: Container,
  sources: EnvSources,
): Promise<ReadonlyMap<string, string>> {
  const env = new Map<string, string>();
  const services = new Map(sources.services);
  for (const from of container.envFrom ?? []) {
    for (const [name, value] of await entriesFrom(from, sources)) env.set(name, value);
  }
  for (const variable of container.env ?? []) {
    const value = variable.valueFrom
      ? await valueFrom(variable.valueFrom, container, sources)
      : expandVariables(variable.value ?? '', (name) => env.get(name) ?? services.get(name));
    if (value !== undefined) env.set(variable.name, value);
  }
  for (const [name, value] of services) if (!env.has(name)) env.set(name, value);
  return env;
}

async function entriesFrom(from: EnvFromSource, sources: EnvSources): Promise<readonly EnvEntry[]> {
  const prefix = from.prefix ?? '';
  if (from.configMapRef) {
    const { name = '', optional } = from.configMapRef;
    const data = (await sources.configMap(name))?.data;
    if (!data) await requireConfigMap(name, optional, sources);
    return Object.entries(data ?? {}).map(([key, value]) => [prefix + key, value]);
  }
  if (from.secretRef) {
    const { name = '', optional } = from.secretRef;
    const secret = await sources.secret(name);
    if (!secret && optional !== true) throw configError(`secret "${name}" not found`);
    return Object.entries(secret?.data ?? {}).map(([key, value]) => [prefix + key, decode(value)]);
  }
  return [];
}

async function requireConfigMap(
  name: string,
  optional: boolean | undefined,
  sources: EnvSources,
): Promise<void> {
  if (optional === true || (await sources.configMap(name))) return;
  throw configError(`configmap "${name}" not found`);
}

async function valueFrom(
  from: EnvVarSource,
  container: Container,
  sources: EnvSources,
): Promise<string | undefined> {
  const namespace = sources.pod.metadata.namespace ?? '';
  if (from.configMapKeyRef) {
    const { name = '', key, optional } = from.configMapKeyRef;
    const configMap = await sources.configMap(name);
    if (configMap?.data?.[key] !== undefined) return configMap.data[key];
    if (optional === true) return undefined;
    if (!configMap) throw configError(`configmap "${name}" not found`);
    throw configError(`couldn't find key ${key} in ConfigMap ${namespace}/${name}`);
  }
  if (from.secretKeyRef) {
    const { name = '', key, optional } = from.secretKeyRef;
    const secret = await sources.secret(name);
    if (secret?.data?.[key] !== undefined) return decode(secret.data[key]);
    if (optional === true) return undefined;
    if (!secret) throw configError(`secret "${name}" not found`);
    throw configError(`couldn't find key ${key} in Secret ${namespace}/${name}`);
  }
  if (from.fileKeyRef) return fromFile(from.fileKeyRef, sources);
  if (from.fieldRef) {
    const value = fieldValue(sources.pod, from.fieldRef.fieldPath, sources.addresses);
    if (value === undefined) throw configError(`unsupported fieldPath: ${from.fieldRef.fieldPath}`);
    return value;
  }
  if (from.resourceFieldRef) {
    return resourceValue(
      subject(from.resourceFieldRef.containerName, container, sources.pod),
      from.resourceFieldRef,
      sources.allocatable,
    );
  }
  return undefined;
}

async function fromFile(
  { volumeName, path, key, optional }: FileKeySelector,
  sources: EnvSources,
): Promise<string | undefined> {
  const text = await sources.file(volumeName, path);
  if (text === undefined) {
    if (optional === true) return undefined;
    throw configError(`file "${path}" not found in volume "${volumeName}"`);
  }
  try {
    const value = parseEnvFile(text).get(key);
    if (value !== undefined || optional === true) return value;
  } catch (error) {
    if (!(error instanceof EnvFileError)) throw error;
    throw configError(`file "${path}" of volume "${volumeName}": ${error.message}`);
  }
  throw configError(`couldn't find key ${key} in file "${path}" of volume "${volumeName}"`);
}

function subject(name: string | undefined, container: Container, pod: Pod): Container {
  if (name === undefined || name === '') return container;
  const all = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])];
  const found = all.find((one) => one.name === name);
  if (!found) throw configError(`container ${name} not found`);
  return found;
}

function decode(base64: string): string {
  return Buffer.from(base64, 'base64').toString('utf8');
}

function configError(message: string): WaitingError {
  return new WaitingError('CreateContainerConfigError', message);
}
