import type { Container, EphemeralContainer } from '../../../api/core/v1.gen.ts';
import type { CheckedPod } from './check.ts';

const podKey = 'seccomp.security.alpha.kubernetes.io/pod';
const containerKey = 'container.seccomp.security.alpha.kubernetes.io/';

type AnyContainer = Container | EphemeralContainer;

/** Whether an update of a pod changes what a policy looks at: images, seccomp annotations, new ephemeral containers. */
export function isSignificantUpdate(next: CheckedPod, old: CheckedPod): boolean {
  const annotation = ({ metadata }: CheckedPod, key: string): string | undefined =>
    metadata.annotations?.[key];
  if (annotation(next, podKey) !== annotation(old, podKey)) return true;
  const changed = (container: AnyContainer, before: AnyContainer | undefined): boolean => {
    const key = `${containerKey}${container.name}`;
    return !before || container.image !== before.image || annotation(next, key) !== annotation(old, key);
  };
  const { containers, initContainers = [], ephemeralContainers = [] } = next.spec;
  const { containers: oldContainers, initContainers: oldInits = [] } = old.spec;
  return (
    containers.length !== oldContainers.length ||
    initContainers.length !== oldInits.length ||
    containers.some((one, index) => changed(one, oldContainers[index])) ||
    initContainers.some((one, index) => changed(one, oldInits[index])) ||
    ephemeralContainers.some((one) =>
      changed(
        one,
        old.spec.ephemeralContainers?.find(({ name }) => name === one.name),
      ),
    )
  );
}
