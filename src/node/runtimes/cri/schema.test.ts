import { fromJSON } from '@grpc/proto-loader';
import { expect, it } from 'vitest';
import { criNamespace } from './schema.ts';

const definition = fromJSON(criNamespace(), { keepCase: true, longs: Number, enums: String, defaults: true });

interface Method {
  requestSerialize(value: object): Buffer;
  requestDeserialize(bytes: Buffer): object;
}

function method(service: string, name: string): Method {
  const found = (definition[`runtime.v1.${service}`] as Readonly<Record<string, Method>>)[name];
  if (!found) throw new Error(`there is no method ${name}`);
  return found;
}

function sent(service: string, name: string, request: object): object {
  const { requestSerialize, requestDeserialize } = method(service, name);
  return requestDeserialize(requestSerialize(request));
}

// A name that protobufjs does not know goes out as the first value of its enumeration, without a word.
it.each(['POD', 'CONTAINER', 'NODE', 'TARGET'])('namespace mode %s arrives', (mode) => {
  const options = { network: mode, pid: mode, ipc: mode, target_id: 'x' };
  const config = { linux: { security_context: { namespace_options: options } } };
  expect(sent('RuntimeService', 'CreateContainer', { config })).toMatchObject({ config });
});

it.each(['PROPAGATION_PRIVATE', 'PROPAGATION_HOST_TO_CONTAINER', 'PROPAGATION_BIDIRECTIONAL'])(
  'mount propagation %s arrives',
  (propagation) => {
    const config = { mounts: [{ container_path: '/a', host_path: '/b', propagation }] };
    expect(sent('RuntimeService', 'CreateContainer', { config })).toMatchObject({ config });
  },
);

it.each(['RuntimeDefault', 'Unconfined', 'Localhost'])('seccomp profile %s arrives', (profile_type) => {
  const config = { linux: { security_context: { seccomp: { profile_type, localhost_ref: '/p' } } } };
  expect(sent('RuntimeService', 'CreateContainer', { config })).toMatchObject({ config });
});

it('has the numbers of k8s.io/cri-api', () => {
  const { requestSerialize } = method('RuntimeService', 'RunPodSandbox');
  const config = { metadata: { name: 'n', uid: 'u', namespace: 's', attempt: 2 }, hostname: 'h' };
  // config (1) { metadata (1) { name (1), uid (2), namespace (3), attempt (4) }, hostname (2) }, runtime_handler (2)
  expect(requestSerialize({ config, runtime_handler: 'r' }).toString('hex')).toBe(
    '0a100a0b0a016e1201751a01732002120168120172',
  );
});

it('holds large numbers', () => {
  const linux = { memory_limit_in_bytes: 2 ** 40 + 1, oom_score_adj: -997 };
  const request = { container_id: 'c', linux };
  expect(sent('RuntimeService', 'UpdateContainerResources', request)).toMatchObject(request);
});
