import { Command } from 'commander';
import type { Client } from '../../client/client.ts';
import { alignColumns } from '../../printers/align-columns.ts';
import type { CliContext } from '../cli-context.ts';
import { CliError } from '../cli-error.ts';
import { durationArgument, words } from '../flag-values.ts';
import { nameOption } from '../name-option.ts';
import { withSession } from '../session.ts';

interface CreateFlags {
  readonly name: string;
  readonly ttl: number;
  readonly description?: string;
  readonly groups?: readonly string[];
  readonly printJoinCommand?: boolean;
}

/** `kanoe token`: bootstrap tokens, with which nodes elsewhere join. */
export function tokenCommand(context: CliContext): Command {
  return new Command('token')
    .description('make, list and delete the tokens with which nodes elsewhere join a cluster')
    .addCommand(createCommand(context))
    .addCommand(listCommand(context))
    .addCommand(deleteCommand(context));
}

function createCommand(context: CliContext): Command {
  return new Command('create')
    .description('make a token and what nodes that join with it need to see of the cluster')
    .argument('[token]', 'six and sixteen letters and digits with a dot between them (default: by chance)')
    .option('--ttl <duration>', 'how long it holds; 0 is for ever', durationArgument, 86_400_000)
    .option('--description <text>', 'what it is for')
    .option('--groups <groups>', 'groups of those who use it', words)
    .option('--print-join-command', 'print the whole command with which a node joins')
    .addOption(nameOption())
    .action((asked: string | undefined, flags: CreateFlags) =>
      withSession(context, flags, async ({ client, connection }) => {
        const tokens = await import('../../cluster/join/bootstrap-token.ts');
        const token = asked === undefined ? tokens.newToken() : tokens.parseToken(asked);
        const server = await prepare(context, client, { name: flags.name, ca: connection.ca ?? '' });
        await tokens.createToken(client, {
          token,
          ttlMs: flags.ttl === 0 ? undefined : flags.ttl,
          now: context.clock.now(),
          ...(flags.description !== undefined && { description: flags.description }),
          groups: flags.groups ?? [tokens.joiningGroup],
        });
        const text = tokens.formatToken(token);
        if (!flags.printJoinCommand) {
          context.stdout.write(`${text}\n`);
          return;
        }
        const { certificatePin } = await import('../../cluster/join/certificate-pin.ts');
        const pin = certificatePin(connection.ca ?? '');
        context.stdout.write(
          `kanoe node join ${server} --token ${text} --discovery-token-ca-cert-hash ${pin}\n`,
        );
      }),
    );
}

/** Leaves in the cluster what nodes need; gives the address at which they reach it. */
async function prepare(
  context: CliContext,
  client: Client,
  { name, ca }: { readonly name: string; readonly ca: string },
): Promise<string> {
  const { readRecord } = await import('../../cluster/cluster-record.ts');
  const { prepareJoining } = await import('../../cluster/join/prepare-joining.ts');
  const { servedVersion } = await import('../../cluster/served-version.ts');
  const record = await readRecord(context.home, name);
  if (record?.advertised === undefined)
    throw new CliError(`cluster ${name} listens on loopback only: no node elsewhere can reach it`, {
      hint: `start it with --listen ADDRESS: kanoe up --name ${name} --listen 0.0.0.0`,
    });
  const [first = '', ...rest] = record.serviceCidr.split('/')[0]?.split('.') ?? [];
  await prepareJoining(client, {
    clusterName: name,
    server: record.advertised,
    ca,
    podCidr: record.podCidr,
    serviceCidr: record.serviceCidr,
    dnsAddress: [first, ...rest.slice(0, 2), String(Number(rest[2] ?? 0) + 10)].join('.'),
    version: servedVersion(context.program.version).gitVersion,
  });
  return record.advertised;
}

function listCommand(context: CliContext): Command {
  return new Command('list')
    .alias('ls')
    .description('list the tokens and when they end')
    .addOption(nameOption())
    .action((flags: { readonly name: string }) =>
      withSession(context, flags, async ({ client }) => {
        const { listTokens } = await import('../../cluster/join/bootstrap-token.ts');
        const rows = (await listTokens(client)).map(({ token, expires, groups, description }) => [
          token,
          expires === undefined ? 'never' : new Date(expires).toISOString().replace(/\.\d+Z$/, 'Z'),
          groups || '-',
          description || '-',
        ]);
        context.stdout.write(alignColumns([['TOKEN', 'EXPIRES', 'GROUPS', 'DESCRIPTION'], ...rows]));
      }),
    );
}

function deleteCommand(context: CliContext): Command {
  return new Command('delete')
    .description('delete a token: nobody joins with it any more')
    .argument('<token>', 'the token, or its first six letters')
    .addOption(nameOption())
    .action((token: string, flags: { readonly name: string }) =>
      withSession(context, flags, async ({ client }) => {
        const { deleteToken } = await import('../../cluster/join/bootstrap-token.ts');
        await deleteToken(client, token);
        context.stdout.write(`token ${token.split('.')[0]} deleted\n`);
      }),
    );
}
