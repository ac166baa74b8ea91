import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Command } from 'commander';
import type { CliContext } from '../cli-context.ts';
import { CliError } from '../cli-error.ts';
import { collected, durationArgument } from '../flag-values.ts';
import {
  addNodeOptions,
  nodeDirectoryOf,
  nodeNameOf,
  runNodeProcess,
  type NodeFlags,
} from '../run-node-process.ts';

interface JoinFlags extends NodeFlags {
  readonly token?: string;
  readonly discoveryTokenCaCertHash?: readonly string[];
  readonly discoveryTokenUnsafeSkipCaVerification?: boolean;
  readonly certificateLifetime?: number;
}

/** `kanoe node join`: this machine becomes a node of a cluster elsewhere. */
export function joinCommand(context: CliContext): Command {
  return addNodeOptions(new Command('join'))
    .description('make this machine a node of a cluster elsewhere, until stopped')
    .argument('<server>', 'https://HOST:PORT of its API server')
    .option('--token <token>', 'a token that the cluster knows; needed the first time')
    .option(
      '--discovery-token-ca-cert-hash <hash>',
      "sha256:… of the authority's public key (repeatable)",
      collected,
    )
    .option('--discovery-token-unsafe-skip-ca-verification', 'trust the token alone')
    .option('--certificate-lifetime <duration>', 'for how long to ask for certificates', durationArgument)
    .action((server: string, flags: JoinFlags) => joinAs(context, server, flags));
}

async function joinAs(context: CliContext, address: string, flags: JoinFlags): Promise<void> {
  const server = serverOf(address);
  const nodeName = nodeNameOf(flags);
  const directory = nodeDirectoryOf(context, flags);
  const { readPair, writePair } = await import('../../cluster/join/node-certificates.ts');
  const { createRenewedClient } = await import('../../cluster/join/renewed-client.ts');
  const { clock, signal } = context;
  const pki = join(directory, 'pki');
  const lifetime =
    flags.certificateLifetime === undefined
      ? {}
      : { lifetimeSeconds: Math.max(600, Math.round(flags.certificateLifetime / 1000)) };
  const caFile = join(pki, 'ca.crt');
  let pair = await readPair(pki, 'client', clock.now());
  let ca = await readFile(caFile, 'utf8').catch(() => undefined);
  if (!pair || ca === undefined) {
    const { joinCluster } = await import('../../cluster/join/join-cluster.ts');
    const { parseToken } = await import('../../cluster/join/bootstrap-token.ts');
    if (flags.token === undefined)
      throw new CliError('joining needs --token', {
        hint: 'on the machine of the cluster: kanoe token create --print-join-command',
      });
    const pins = flags.discoveryTokenCaCertHash ?? [];
    if (pins.length === 0 && !flags.discoveryTokenUnsafeSkipCaVerification)
      throw new CliError(
        'joining needs --discovery-token-ca-cert-hash, by which the cluster is known; --discovery-token-unsafe-skip-ca-verification does without',
      );
    const token = parseToken(flags.token);
    const joined = await joinCluster({ server, token, pins, nodeName, ...lifetime, clock, signal });
    await writePair(pki, 'client', joined.pair);
    await writeFile(caFile, joined.ca, { mode: 0o600 });
    context.stderr.write(`node ${nodeName} joined the cluster at ${server}\n`);
    ({ pair, ca } = joined);
  }
  const client = createRenewedClient({
    server,
    ca,
    pair,
    nodeName,
    directory: pki,
    ...lifetime,
    clock,
    signal,
    say: (line) => void context.stderr.write(`${line}\n`),
  });
  try {
    await runNodeProcess(context, flags, { client, server, ca, ...lifetime });
  } finally {
    await client.transport.close();
  }
}

function serverOf(address: string): string {
  const text = address.includes('://') ? address : `https://${address}`;
  if (!URL.canParse(text) || new URL(text).protocol !== 'https:')
    throw new CliError(`${JSON.stringify(address)} is no server such as https://192.0.2.1:6443`);
  return new URL(text).origin;
}
