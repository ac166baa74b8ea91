import { resolve } from 'node:path';
import type { RuntimeChoice, UpOptions } from '../cluster/plan-cluster.ts';
import type { CliContext } from './cli-context.ts';

/** The flags of `kanoe up` as commander parses them. */
export interface UpFlags {
  readonly name: string;
  readonly detach?: boolean;
  readonly dataDir?: string;
  readonly port?: number;
  readonly nodes: number;
  readonly controllers: string;
  readonly serviceCidr?: string;
  readonly podCidr?: string;
  readonly runtime: RuntimeChoice;
  readonly filename?: string[];
  readonly load?: string[];
  readonly mirror?: ReadonlyMap<string, string>;
  readonly kubeconfig?: string;
  readonly wait?: boolean;
  readonly timeout: number;
  readonly startedAt?: number;
}

/** What the cluster needs of the flags; paths made absolute. */
export function upOptions(context: CliContext, flags: UpFlags): UpOptions {
  return {
    name: flags.name,
    nodes: flags.nodes,
    controllers: flags.controllers,
    runtime: flags.runtime,
    mirrors: flags.mirror ?? new Map(),
    ...(flags.dataDir !== undefined && { dataDirectory: resolve(context.cwd, flags.dataDir) }),
    ...(flags.port !== undefined && { port: flags.port }),
    ...(flags.serviceCidr !== undefined && { serviceCidr: flags.serviceCidr }),
    ...(flags.podCidr !== undefined && { podCidr: flags.podCidr }),
  };
}
