import type { Pod } from '../api/core/v1.gen.ts';
import type { SandboxStatus } from './container-runtime.ts';
import type { NodeContext } from './node-context.ts';
import { runtimeHandlerOf } from './runtime-handler.ts';
import { sandboxSpec } from './sandbox-spec.ts';

/** Makes a sandbox for a pod, after freeing those that it had before. Throws `RuntimeError`. */
export async function makeSandbox(request: {
  readonly node: NodeContext;
  readonly pod: Pod;
  readonly attempt: number;
  readonly old: readonly SandboxStatus[];
  readonly signal: AbortSignal;
}): Promise<SandboxStatus> {
  const { node, pod, attempt, old, signal } = request;
  if (attempt > 0) {
    const why = 'Pod sandbox changed, it will be killed and re-created.';
    node.events.record(pod, 'Normal', 'SandboxChanged', why);
    await Promise.all(old.map(({ id }) => node.runtime.stopSandbox(id)));
  }
  const spec = sandboxSpec(pod, attempt, node.dns.clusterDomain);
  const runtimeHandler = await runtimeHandlerOf(node.client, pod);
  return node.runtime.runSandbox(
    { ...spec, ...(runtimeHandler !== undefined && { runtimeHandler }) },
    signal,
  );
}
