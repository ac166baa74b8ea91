import type { Pod } from '../api/core/v1.gen.ts';
import type { Live } from '../machinery/object.ts';
import { RuntimeError, type ContainerRuntime, type SandboxStatus } from './container-runtime.ts';
import type { NodeContext } from './node-context.ts';
import { PluginError } from './plugins/plugin-connection.ts';
import { runtimeHandlerOf } from './runtime-handler.ts';
import { sandboxSpec } from './sandbox-spec.ts';
import { WaitingError } from './waiting-error.ts';

/** Makes a sandbox for a pod, after freeing those that it had before. Throws `RuntimeError`, or `WaitingError` with a reason of its own. */
export async function makeSandbox(request: {
  readonly node: NodeContext;
  readonly pod: Live<Pod>;
  readonly attempt: number;
  readonly old: readonly SandboxStatus[];
  readonly signal: AbortSignal;
}): Promise<SandboxStatus> {
  const { node, pod, attempt, old, signal } = request;
  await prepareClaims(node, pod);
  if (attempt > 0) {
    const why = 'Pod sandbox changed, it will be killed and re-created.';
    node.events.record(pod, 'Normal', 'SandboxChanged', why);
    await Promise.all(old.map(({ id }) => node.runtime.stopSandbox(id)));
  }
  const spec = sandboxSpec(pod, attempt, node.dns.clusterDomain);
  const runtimeHandler = await runtimeHandlerOf(node.client, pod);
  if (spec.userNamespace === true) requireUserNamespaces(node.runtime, runtimeHandler);
  return node.runtime.runSandbox(
    { ...spec, ...(runtimeHandler !== undefined && { runtimeHandler }) },
    signal,
  );
}

/** Throws `UNSUPPORTED` when a runtime cannot give a pod users of its own. */
function requireUserNamespaces(runtime: ContainerRuntime, handler: string | undefined): void {
  const ask = runtime.withoutUserNamespaces?.bind(runtime);
  const why = ask ? ask(handler) : `containers of ${runtime.name} have the machine's users`;
  if (why === undefined) return;
  const who = handler === undefined ? 'runtime' : `RuntimeClass handler ${JSON.stringify(handler)}`;
  throw new RuntimeError(
    'UNSUPPORTED',
    `can't set \`spec.hostUsers: false\`, ${who} does not support user namespaces: ${why}`,
  );
}

/** Why there is no sandbox, as an event says it; what is no failure of the node's is thrown again. */
export function sandboxFailure(error: unknown): { readonly reason: string; readonly message: string } {
  if (error instanceof WaitingError) return error;
  if (!(error instanceof RuntimeError)) throw error;
  const message = `Failed to create pod sandbox: ${error.message}`;
  return { reason: 'FailedCreatePodSandBox', message };
}

async function prepareClaims(node: NodeContext, pod: Live<Pod>): Promise<void> {
  try {
    await node.claims.prepare(pod);
  } catch (cause) {
    if (!(cause instanceof PluginError)) throw cause;
    const message = `Failed to prepare dynamic resources: prepare dynamic resources: ${cause.message}`;
    throw new WaitingError('FailedPrepareDynamicResources', message, { cause });
  }
}
