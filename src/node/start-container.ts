import { mkdir, readFile, realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Container, Pod } from '../api/core/v1.gen.ts';
import type { Live } from '../machinery/object.ts';
import type { PodConfig } from './config-source.ts';
import { containerResources } from './container-resources.ts';
import { RuntimeError, type ContainerSpec, type SandboxStatus } from './container-runtime.ts';
import { containerSecurity, verifyNonRoot } from './container-security.ts';
import { containerEnv } from './env/container-env.ts';
import { expandVariables } from './env/expand.ts';
import { serviceEnv, servicesForPod } from './env/service-env.ts';
import type { Image, RegistryCredentials } from './image-service.ts';
import { pullCredentials } from './images/pull-secrets.ts';
import { isMissing } from './missing-file.ts';
import type { NodeContext } from './node-context.ts';
import { logFile, type PodDirectories } from './pod-directories.ts';
import { kernelHostname } from './pod-etc.ts';
import { mountAnnotations } from './mount-status.ts';
import { givenDevices } from './given-devices.ts';
import { containerDevices } from './volumes/container-devices.ts';
import { containerMounts, outerFirst } from './volumes/container-mounts.ts';
import { shareMount } from './volumes/shared-mounts.ts';
import { mountImageVolumes } from './volumes/image-volumes.ts';
import type { PodVolumes } from './volumes/pod-volumes.ts';
import { WaitingError } from './waiting-error.ts';
import { makeTerminationLog } from './termination-message.ts';

/** One attempt to start a container. */
export interface StartRequest {
  readonly node: NodeContext;
  readonly pod: Live<Pod>;
  readonly container: Container;
  readonly attempt: number;
  /** As {@link ensureImage} returned it. */
  readonly image: Promise<Image>;
  readonly sandbox: SandboxStatus;
  readonly podIPs: readonly string[];
  readonly directories: PodDirectories;
  readonly volumes: PodVolumes;
  readonly config: PodConfig;
  readonly signal: AbortSignal;
  /** The running container whose processes it is to see. */
  readonly target?: string;
}

/** Waits for the image and creates the container; resolves to its id. Throws `WaitingError` with upstream's reasons. */
export async function createContainer(request: StartRequest): Promise<string> {
  const { node, pod, container } = request;
  const image = await request.image;
  verifyNonRoot(pod, container, image);
  const spec = await containerSpec(request, image);
  try {
    await mkdir(dirname(spec.logPath), { recursive: true });
    const id = await node.runtime.createContainer(request.sandbox.id, spec, request.signal);
    node.events.record(pod, 'Normal', 'Created', 'Container created');
    return id;
  } catch (error) {
    if (error instanceof RuntimeError) {
      throw new WaitingError('CreateContainerError', error.message, { cause: error });
    }
    throw error;
  }
}

/** The image of the request's container; safe to call before the sandbox exists. */
export function ensureImage(
  request: Pick<StartRequest, 'node' | 'pod' | 'container' | 'config' | 'signal'>,
): Promise<Image> {
  const { node, pod, container, config, signal } = request;
  return node.puller.ensure({ pod, container, credentials: () => credentialsOf(node, pod, config), signal });
}

async function credentialsOf(
  node: NodeContext,
  pod: Pod,
  config: PodConfig,
): Promise<readonly RegistryCredentials[]> {
  const names = (pod.spec?.imagePullSecrets ?? []).map(({ name = '' }) => name);
  const found = await Promise.all(names.map((name) => config.secret(name)));
  const missing = names.filter((_, position) => found[position] === undefined);
  if (missing.length > 0) {
    const message = `Unable to retrieve some image pull secrets (${missing.join(', ')}); attempting to pull the image may not succeed.`;
    node.events.record(pod, 'Warning', 'FailedToRetrieveImagePullSecret', message);
  }
  return found.flatMap((secret) => (secret ? pullCredentials(secret) : []));
}

async function containerSpec(request: StartRequest, image: Image): Promise<ContainerSpec> {
  const { node, pod, container, attempt, directories, volumes, config } = request;
  const namespace = pod.metadata.namespace ?? '';
  const given = await givenDevices(node, pod, container);
  const links = pod.spec?.enableServiceLinks === false ? 'api-only' : 'own-namespace';
  const env = await containerEnv(container, {
    pod,
    addresses: { podIPs: request.podIPs, hostIPs: node.hostIPs },
    allocatable: node.allocatable,
    services: serviceEnv(servicesForPod(await node.services(), { namespace, links })),
    configMap: (name) => config.configMap(name),
    secret: (name) => config.secret(name),
    file: (volume, path) => readVolumeFile(volumes.pathOf(volume), path),
  });
  const terminationLog = join(directories.terminationLogs, `${container.name}-${attempt}`);
  await makeTerminationLog(terminationLog);
  const images = await mountImageVolumes({
    pod,
    container,
    directories,
    ensure: (one) => ensureImage({ ...request, container: one }),
  });
  const mounts = await containerMounts({
    pod,
    container,
    volumes,
    images,
    share: (path) => shareMount(node.directory, path),
    recursiveReadOnly: node.runtime.recursiveReadOnlyMounts === true,
    env,
    etc: directories.etc,
    terminationLog,
  });
  const expand = (text: string): string => expandVariables(text, (name) => env.get(name));
  return {
    name: container.name,
    attempt,
    imageId: image.id,
    image: container.image ?? '',
    command: (container.command ?? []).map(expand),
    args: (container.args ?? []).map(expand),
    ...(container.workingDir !== undefined && { workingDir: container.workingDir }),
    env: [
      ...hostnameEnv(pod, node.dns.clusterDomain),
      ...given.env,
      ...[...env].map(([name, value]) => ({ name, value })),
    ],
    mounts: outerFirst([...given.mounts, ...mounts]),
    devices: [
      ...given.devices,
      ...containerDevices(container, { volumes, supported: node.runtime.blockDevices === true }),
    ],
    ...(given.cdi.names.length > 0 && { cdi: given.cdi }),
    tty: container.tty === true,
    stdin: container.stdin === true,
    stdinOnce: container.stdinOnce === true,
    resources: containerResources(pod, container, node.memoryBytes),
    logPath: logFile(directories, container.name, attempt),
    security: containerSecurity(pod, container, node.seccompDefault),
    ...(request.target !== undefined && { processesOf: request.target }),
    ...(container.lifecycle?.stopSignal !== undefined && { stopSignal: container.lifecycle.stopSignal }),
    labels: {
      'io.kubernetes.container.name': container.name,
      'io.kubernetes.pod.name': pod.metadata.name ?? '',
      'io.kubernetes.pod.namespace': namespace,
      'io.kubernetes.pod.uid': pod.metadata.uid ?? '',
    },
    annotations: {
      ...given.annotations,
      [TERMINATION_LOG]: terminationLog,
      ...mountAnnotations(mounts, images),
    },
  };
}

/** A file inside a volume: links out of it are not followed. */
async function readVolumeFile(root: string | undefined, path: string): Promise<string | undefined> {
  if (root === undefined) return undefined;
  try {
    const [inside, real] = [await realpath(root), await realpath(join(root, path))];
    return real.startsWith(`${inside}/`) ? await readFile(real, 'utf8') : undefined;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** As container runtimes set it; anything the pod says wins. */
function hostnameEnv(pod: Pod, clusterDomain: string): ContainerSpec['env'] {
  if (pod.spec?.hostNetwork === true) return [];
  return [{ name: 'HOSTNAME', value: kernelHostname(pod, clusterDomain) }];
}

/** Annotation of a runtime container: the file behind its `terminationMessagePath`. */
export const TERMINATION_LOG: string = 'kanoe.io/termination-log';
