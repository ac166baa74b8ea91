import type { Container, Pod } from '../api/core/v1.gen.ts';
import type { ContainerHistory } from './container-history.ts';
import { ephemeralContainersOf } from './pod-containers.ts';
import { WaitingError } from './waiting-error.ts';

/** Id of what an ephemeral container debugs; upstream's runtimes refuse one whose target does not run. */
export function debugTarget(
  pod: Pod,
  container: Container,
  histories: ReadonlyMap<string, ContainerHistory>,
): { readonly target?: string } {
  const ephemeral = ephemeralContainersOf(pod).find(({ name }) => name === container.name);
  if (!ephemeral?.targetContainerName) return {};
  const newest = histories.get(ephemeral.targetContainerName)?.[0];
  if (newest?.state === 'running') return { target: newest.id };
  const message = `unable to find target container "${ephemeral.targetContainerName}"`;
  throw new WaitingError('CreateContainerConfigError', message);
}
