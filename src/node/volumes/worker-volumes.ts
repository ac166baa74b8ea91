import { join } from 'node:path';
import type { Pod } from '../../api/core/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import type { PodConfig } from '../config-source.ts';
import type { NodeContext } from '../node-context.ts';
import type { PodDirectories } from '../pod-directories.ts';
import { createClaimReader } from './claim-volume.ts';
import { createPodVolumes, type PodVolumes } from './pod-volumes.ts';

/** The volumes of a pod worker's pod, with all that the node has to make them from. */
export function workerVolumes(options: {
  readonly node: NodeContext;
  readonly directories: PodDirectories;
  readonly config: PodConfig;
  /** The newest version. */
  pod(): Live<Pod>;
  podIPs(): readonly string[];
  /** One volume could not be set up. */
  onFailure(message: string): void;
}): PodVolumes {
  const { node, directories, config, pod } = options;
  const { namespace = '', uid } = pod().metadata;
  const claims = createClaimReader(node.client, namespace);
  const volumes = createPodVolumes({
    clock: node.clock,
    directories,
    memoryDirectory: join(node.memoryDirectory, uid),
    context: () => ({
      pod: pod(),
      addresses: { podIPs: options.podIPs(), hostIPs: node.hostIPs },
      allocatable: node.allocatable,
      configMap: (name) => config.configMap(name),
      secret: (name) => config.secret(name),
      token: (audience, seconds) => node.tokens.token(pod(), audience, seconds),
      ...claims,
      csi: node.csi,
      nodeDirectory: node.directory,
      ...(node.localVolumes && { localVolumes: node.localVolumes }),
    }),
    onFailure: (message) => options.onFailure(message),
  });
  node.podVolumes.set(uid, volumes);
  return {
    ...volumes,
    close() {
      node.podVolumes.delete(uid);
      volumes.close();
    },
  };
}
