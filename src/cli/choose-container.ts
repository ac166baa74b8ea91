import type { Pod } from '../api/core/v1.gen.ts';
import type { Live } from '../machinery/object.ts';
import type { CliContext } from './cli-context.ts';
import { CliError } from './cli-error.ts';

const defaultContainer = 'kubectl.kubernetes.io/default-container';

/** The names of a pod's containers: init containers first, ephemeral ones last. */
export function containerNames({ spec }: Pod): string[] {
  const { initContainers = [], containers, ephemeralContainers = [] } = spec ?? { containers: [] };
  return [...initContainers, ...containers, ...ephemeralContainers].map(({ name }) => name);
}

/**
 * The container that is meant: the one asked for, else the pod's default one, else its first one, which is said on standard error
 * when there are more. Throws {@link CliError} for a name that the pod does not have.
 */
export function chooseContainer(
  context: Pick<CliContext, 'stderr'>,
  pod: Live<Pod>,
  asked: string | undefined,
): string {
  const { name, annotations } = pod.metadata;
  const names = containerNames(pod);
  if (asked !== undefined) {
    if (names.includes(asked)) return asked;
    throw new CliError(`container ${asked} is not valid for pod ${name}: it has ${names.join(', ')}`);
  }
  const preset = annotations?.[defaultContainer];
  if (preset !== undefined && names.includes(preset)) return preset;
  const first = pod.spec?.containers[0]?.name;
  if (first === undefined) throw new CliError(`pod ${name} has no containers`);
  if (names.length > 1) {
    const { initContainers = [], containers, ephemeralContainers = [] } = pod.spec ?? { containers: [] };
    const listed = [
      ...containers.map((container) => container.name),
      ...initContainers.map((container) => `${container.name} (init)`),
      ...ephemeralContainers.map((container) => `${container.name} (ephem)`),
    ];
    context.stderr.write(`Defaulted container "${first}" out of: ${listed.join(', ')}\n`);
  }
  return first;
}
