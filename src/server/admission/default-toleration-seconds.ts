import type { Pod, Toleration } from '../../api/core/v1.gen.ts';
import type { DeepMutable } from '../../machinery/object.ts';
import type { AdmissionPlugin } from './admission-chain.ts';

const keys = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'];
const seconds = 300;

/** A pod stays five minutes on a node that stops answering, unless it says otherwise (upstream's DefaultTolerationSeconds). */
export const defaultTolerationSeconds: AdmissionPlugin = {
  name: 'DefaultTolerationSeconds',
  admit(request) {
    if (request.group !== '' || request.resource !== 'pods' || request.subresource !== '') return;
    if (request.operation !== 'CREATE' && request.operation !== 'UPDATE') return;
    const pod = request.object as DeepMutable<Pod>;
    const missing = keys.filter(
      (key) => !pod.spec.tolerations?.some((toleration) => covers(toleration, key)),
    );
    if (missing.length === 0) return;
    const added = missing.map((key) => ({
      key,
      operator: 'Exists' as const,
      effect: 'NoExecute' as const,
      tolerationSeconds: seconds,
    }));
    pod.spec.tolerations = [...(pod.spec.tolerations ?? []), ...added];
  },
};

function covers(toleration: Toleration, key: string): boolean {
  const keyMatches = !toleration.key || toleration.key === key;
  return keyMatches && (!toleration.effect || toleration.effect === 'NoExecute');
}
