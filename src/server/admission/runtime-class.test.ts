import { describe, expect, it } from 'vitest';
import type { PodSpec } from '../../api/core/v1.gen.ts';
import type { RuntimeClass } from '../../api/node/v1.gen.ts';
import type { DeepMutable, KubeObject } from '../../machinery/object.ts';
import type { AdmissionRequest } from './admission-chain.ts';
import type { Lookup } from './lookup.ts';
import { runtimeClass } from './runtime-class.ts';

const sandboxed: RuntimeClass = {
  apiVersion: 'node.k8s.io/v1',
  kind: 'RuntimeClass',
  metadata: { name: 'sandboxed' },
  handler: 'runsc',
  overhead: { podFixed: { cpu: '250m' } },
  scheduling: { nodeSelector: { sandbox: 'yes' }, tolerations: [{ key: 'sandbox', operator: 'Exists' }] },
};

const lookup: Lookup = {
  get: (_type, _namespace, name) => (name === 'sandboxed' ? (sandboxed as never) : undefined),
  list: () => [],
};

function admitted(spec: Partial<PodSpec>): PodSpec {
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p' },
    spec: { containers: [], ...structuredClone(spec) },
  };
  const request: Partial<AdmissionRequest> = {
    operation: 'CREATE',
    group: '',
    resource: 'pods',
    subresource: '',
    name: 'p',
    object: pod as KubeObject as DeepMutable<KubeObject>,
  };
  const plugin = runtimeClass(lookup);
  void plugin.admit?.(request as AdmissionRequest, {} as never);
  void plugin.validate?.(request as AdmissionRequest);
  return pod.spec;
}

describe('a pod of a runtime class', () => {
  it('takes over its overhead, nodes and tolerations', () => {
    expect(
      admitted({ runtimeClassName: 'sandboxed', nodeSelector: { disk: 'ssd' }, tolerations: [{ key: 'a' }] }),
    ).toMatchObject({
      overhead: { cpu: '250m' },
      nodeSelector: { disk: 'ssd', sandbox: 'yes' },
      tolerations: [{ key: 'a' }, { key: 'sandbox', operator: 'Exists' }],
    });
  });

  it.each<[string, Partial<PodSpec>, string]>([
    ['unknown', { runtimeClassName: 'x' }, 'pod rejected: RuntimeClass "x" not found'],
    [
      'other overhead',
      { runtimeClassName: 'sandboxed', overhead: { cpu: '1' } },
      "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead",
    ],
    [
      'other nodes',
      { runtimeClassName: 'sandboxed', nodeSelector: { sandbox: 'no' } },
      'conflict: runtimeClass.scheduling.nodeSelector[sandbox] = yes; pod.spec.nodeSelector[sandbox] = no',
    ],
    [
      'overhead of its own',
      { overhead: { cpu: '1' } },
      'pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead',
    ],
  ])('is refused: %s', (_name, spec, message) => {
    expect(() => admitted(spec)).toThrow(`pods "p" is forbidden: ${message}`);
  });

  it('may say the same overhead in other words', () => {
    expect(admitted({ runtimeClassName: 'sandboxed', overhead: { cpu: '0.25' } }).overhead).toEqual({
      cpu: '250m',
    });
  });
});
