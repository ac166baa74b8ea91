import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { InvalidArgumentError, Option, type Command } from 'commander';
import type { Client } from '../client/client.ts';
import type { RuntimeChoice } from '../cluster/plan-cluster.ts';
import type { CliContext } from './cli-context.ts';
import { collected, words } from './flag-values.ts';

/** What every process that runs a node alone takes. */
export interface NodeFlags {
  readonly nodeName?: string;
  readonly nodeIp?: string;
  readonly nodeLabels?: readonly string[];
  readonly directory?: string;
  readonly runtime: RuntimeChoice;
  readonly mirror?: readonly string[];
  readonly podCidr?: string;
  readonly serviceCidr?: string;
  readonly clusterDns?: readonly string[];
}

export function addNodeOptions(command: Command): Command {
  return command
    .option('--node-name <name>', "the node's name (default: the machine's)")
    .option('--node-ip <address>', "the node's address (default: the one from which it reaches the server)")
    .option('--node-labels <labels>', 'labels of the node: disk=ssd,zone=a', words)
    .option('--directory <dir>', "where the node's state is (default: in ~/.kanoe/joined)")
    .addOption(
      new Option('--runtime <runtime>', 'what runs containers')
        .choices(['auto', 'native', 'process'])
        .default('auto'),
    )
    .option('--mirror <host=url>', 'pull images of a registry from elsewhere (repeatable)', collected)
    .option('--pod-cidr <cidr>', 'addresses of all pods (default: what the cluster says)')
    .option('--service-cidr <cidr>', 'addresses of services (default: what the cluster says)')
    .option('--cluster-dns <addresses>', 'name servers of pods (default: what the cluster says)', words);
}

export function nodeNameOf(flags: NodeFlags): string {
  return flags.nodeName ?? hostname().toLowerCase();
}

export function nodeDirectoryOf(context: CliContext, flags: NodeFlags): string {
  return flags.directory === undefined
    ? join(context.home.directory, 'joined', nodeNameOf(flags))
    : resolve(context.cwd, flags.directory);
}

export interface NodeConnection {
  readonly client: Client;
  readonly server: string;
  readonly ca: string;
  /** For how long to ask for certificates. */
  readonly lifetimeSeconds?: number;
}

/** Runs this machine as a node until Ctrl-C. */
export async function runNodeProcess(
  context: CliContext,
  flags: NodeFlags,
  { client, server, ca, lifetimeSeconds }: NodeConnection,
): Promise<void> {
  const { clusterSettings } = await import('../cluster/join/join-cluster.ts');
  const { runNode } = await import('../cluster/join/run-node.ts');
  const settings = await clusterSettings(client, {
    ...(flags.podCidr !== undefined && { podCidr: flags.podCidr }),
    ...(flags.serviceCidr !== undefined && { serviceCidr: flags.serviceCidr }),
    ...(flags.clusterDns !== undefined && { clusterDns: flags.clusterDns }),
  });
  const nodeName = nodeNameOf(flags);
  const say = (line: string): void => void context.stderr.write(`${line}\n`);
  await runNode({
    client,
    server,
    ca,
    nodeName,
    ...(flags.nodeIp !== undefined && { nodeIp: flags.nodeIp }),
    settings,
    labels: pairsOf(flags.nodeLabels ?? []),
    runtime: flags.runtime,
    ...(lifetimeSeconds !== undefined && { lifetimeSeconds }),
    directory: nodeDirectoryOf(context, flags),
    mirrors: new Map(Object.entries(pairsOf(flags.mirror ?? []))),
    searchPath: context.env['PATH'] ?? '',
    program: context.program,
    clock: context.clock,
    signal: context.signal,
    say,
    ready: () => say(`node ${nodeName} is Ready; Ctrl-C stops it`),
  });
}

function pairsOf(list: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    list.map((word) => {
      const at = word.indexOf('=');
      if (at <= 0) throw new InvalidArgumentError(`${JSON.stringify(word)} must be NAME=VALUE`);
      return [word.slice(0, at), word.slice(at + 1)];
    }),
  );
}
