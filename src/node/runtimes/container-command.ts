import { RuntimeError, type ContainerSpec, type SandboxSpec } from '../container-runtime.ts';
import type { Image } from '../image-service.ts';

export interface EnvironmentInput {
  readonly spec: ContainerSpec;
  readonly sandbox: SandboxSpec;
  readonly image: Image;
  readonly user: { readonly home: string | undefined };
}

const defaultPath = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Entrypoint and arguments after Kubernetes' rules; throws when neither the pod nor the image says any. */
export function commandLine(spec: ContainerSpec, image: Image): readonly string[] {
  const command = spec.command.length > 0 ? spec.command : image.config.entrypoint;
  const imageArgs = spec.command.length > 0 ? [] : image.config.cmd;
  const line = [...command, ...(spec.args.length > 0 ? spec.args : imageArgs)];
  if (line.length === 0) throw new RuntimeError('START_FAILED', 'no command specified');
  return line;
}

/** The complete environment: runtime's own variables, the image's, the pod's; later ones win. */
export function containerEnvironment(input: EnvironmentInput): ReadonlyMap<string, string> {
  const { spec, sandbox, image, user } = input;
  const variables = new Map<string, string>();
  const add = (entry: string): void => {
    const at = entry.indexOf('=');
    if (at > 0) variables.set(entry.slice(0, at), entry.slice(at + 1));
  };
  add(defaultPath);
  if (!sandbox.hostNetwork || sandbox.hostname) add(`HOSTNAME=${sandbox.hostname}`);
  if (spec.tty) add('TERM=xterm');
  if (user.home) add(`HOME=${user.home}`);
  for (const entry of image.config.env) add(entry);
  for (const { name, value } of spec.env) variables.set(name, value);
  if (!variables.has('HOME')) variables.set('HOME', '/');
  return variables;
}
