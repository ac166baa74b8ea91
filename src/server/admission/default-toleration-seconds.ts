import type { Pod, Toleration } from '../../api/core/v1.gen.ts';
import type { DeepMutable } from '../../machinery/object.ts';
import type { AdmissionPlugin } from './admission-chain.ts';

/** kube-apiserver's flags `--default-not-ready-toleration-seconds` and `--default-unreachable-toleration-seconds`. */
export interface TolerationSeconds {
  readonly notReady?: number;
  readonly unreachable?: number;
}

/** A pod stays five minutes on a node that stops answering, unless it says otherwise (upstream's DefaultTolerationSeconds). */
export function defaultTolerationSeconds({
  notReady = 300,
  unreachable = 300,
}: TolerationSeconds = {}): AdmissionPlugin {
  const wanted = [
    { key: 'node.kubernetes.io/not-ready', seconds: notReady },
    { key: 'node.kubernetes.io/unreachable', seconds: unreachable },
  ];
  return {
    name: 'DefaultTolerationSeconds',
    admit(request) {
      if (request.group !== '' || request.resource !== 'pods' || request.subresource !== '') return;
      if (request.operation !== 'CREATE' && request.operation !== 'UPDATE') return;
      const pod = request.object as DeepMutable<Pod>;
      const missing = wanted.filter(
        ({ key }) => !pod.spec.tolerations?.some((toleration) => covers(toleration, key)),
      );
      if (missing.length === 0) return;
      const added = missing.map(({ key, seconds }) => ({
        key,
        operator: 'Exists' as const,
        effect: 'NoExecute' as const,
        tolerationSeconds: seconds,
      }));
      pod.spec.tolerations = [...(pod.spec.tolerations ?? []), ...added];
    },
  };
}

function covers(toleration: Toleration, key: string): boolean {
  const keyMatches = !toleration.key || toleration.key === key;
  return keyMatches && (!toleration.effect || toleration.effect === 'NoExecute');
}
