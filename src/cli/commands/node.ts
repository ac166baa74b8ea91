import { Command } from 'commander';
import { nodes as nodeResource, type Node } from '../../api/core/v1.gen.ts';
import { unlessGone } from '../../machinery/unless-gone.ts';
import { alignColumns } from '../../printers/align-columns.ts';
import type { CliContext } from '../cli-context.ts';
import { addClusterOptions, type ClusterFlags } from '../cluster-options.ts';
import { CliError } from '../cli-error.ts';
import { durationArgument, wholeNumber } from '../flag-values.ts';
import { nameOption } from '../name-option.ts';
import { joinCommand } from './node-join.ts';
import { withSession, type Session } from '../session.ts';

interface NameFlag {
  readonly name: string;
}

interface DrainFlags extends ClusterFlags {
  readonly ignoreDaemonsets?: boolean;
  readonly deleteEmptydirData?: boolean;
  readonly force?: boolean;
  readonly gracePeriod?: number;
  readonly timeout?: number;
  readonly podSelector?: string;
}

interface DeleteFlags extends ClusterFlags {
  readonly drain: boolean;
  readonly gracePeriod?: number;
  readonly timeout?: number;
}

/** `kanoe node`: the nodes of a running cluster. */
export function nodeCommand(context: CliContext): Command {
  return new Command('node')
    .description('add, stop, start, drain and delete nodes of a running cluster')
    .addCommand(listNodes(context))
    .addCommand(addNode(context))
    .addCommand(deleteNode(context))
    .addCommand(drain(context))
    .addCommand(cordon(context, 'cordon'))
    .addCommand(cordon(context, 'uncordon'))
    .addCommand(switchNode(context, 'stop'))
    .addCommand(switchNode(context, 'start'))
    .addCommand(joinCommand(context));
}

function listNodes(context: CliContext): Command {
  return addClusterOptions(new Command('list').alias('ls'))
    .description('list the nodes and where they run')
    .action((flags: ClusterFlags) =>
      withSession(context, flags, async ({ client }) => {
        const own = new Set((await localNodes(context, flags)).map(({ name }) => name));
        const { items } = await client.for(nodeResource).list();
        const rows = items.map((node) => [
          node.metadata.name,
          stateOf(node),
          node.status?.addresses?.find(({ type }) => type === 'InternalIP')?.address ?? '-',
          node.spec?.podCIDR ?? '-',
          own.has(node.metadata.name) ? 'here' : 'elsewhere',
        ]);
        context.stdout.write(alignColumns([['NAME', 'STATUS', 'ADDRESS', 'PODS', 'RUNS'], ...rows]));
      }),
    );
}

function addNode(context: CliContext): Command {
  return new Command('add')
    .description('add a node on this machine and wait until it is Ready')
    .argument('[node]', "its name (default: the cluster's, with a number)")
    .addOption(nameOption())
    .action(async (node: string | undefined, { name }: NameFlag) => {
      const control = await openControl(context, name);
      context.stdout.write(`node/${await control.add(node)} added\n`);
    });
}

function switchNode(context: CliContext, verb: 'stop' | 'start'): Command {
  const description =
    verb === 'stop'
      ? 'stop a node of this machine, as if it were switched off'
      : 'start a node of this machine that was stopped';
  return new Command(verb)
    .description(description)
    .argument('<node>')
    .addOption(nameOption())
    .action(async (node: string, { name }: NameFlag) => {
      const control = await openControl(context, name);
      await control[verb](node);
      context.stdout.write(`node/${node} ${verb === 'stop' ? 'stopped' : 'started'}\n`);
    });
}

function drain(context: CliContext): Command {
  return addClusterOptions(new Command('drain'))
    .description('evict the pods of a node, which respects disruption budgets, and keep new ones away')
    .argument('<node>')
    .option('--ignore-daemonsets', "leave daemon sets' pods where they are")
    .option('--delete-emptydir-data', 'also evict pods whose emptyDir volumes are lost thereby')
    .option('--force', 'also evict pods that nobody will make anew')
    .option('--grace-period <seconds>', "what pods get to end (default: each pod's own)", wholeNumber)
    .option('--timeout <duration>', 'give up after this long (default: never)', durationArgument)
    .option('--pod-selector <selector>', 'only pods with these labels')
    .action((node: string, flags: DrainFlags) =>
      withSession(context, flags, async (session) => {
        await empty(context, session, {
          node,
          policy: {
            ignoreDaemonsets: flags.ignoreDaemonsets ?? false,
            deleteEmptydirData: flags.deleteEmptydirData ?? false,
            force: flags.force ?? false,
          },
          flags,
        });
      }),
    );
}

function cordon(context: CliContext, verb: 'cordon' | 'uncordon'): Command {
  return addClusterOptions(new Command(verb))
    .description(verb === 'cordon' ? 'keep new pods away from a node' : 'let new pods onto a node again')
    .argument('<node>')
    .action((node: string, flags: ClusterFlags) =>
      withSession(context, flags, async ({ client }) => {
        const { cordonNode } = await import('../drain/drain-node.ts');
        const say = (line: string): void => void context.stdout.write(`${line}\n`);
        await cordonNode({ client, say }, node, verb === 'cordon' ? 'cordoned' : 'uncordoned');
      }),
    );
}

function deleteNode(context: CliContext): Command {
  return addClusterOptions(new Command('delete'))
    .description('drain a node, stop it for good, and remove its object and what it left on this machine')
    .argument('<node>')
    .option('--no-drain', 'do not evict its pods first')
    .option('--grace-period <seconds>', "what pods get to end (default: each pod's own)", wholeNumber)
    .option('--timeout <duration>', 'give up draining after this long', durationArgument, 300_000)
    .action((name: string, flags: DeleteFlags) =>
      withSession(context, flags, async (session) => {
        const { client } = session;
        const node = await unlessGone(client.for(nodeResource).get({ name }));
        const local = (await localNodes(context, flags)).some((one) => one.name === name);
        if (!node && !local) throw new CliError(`there is no node named ${name}`);
        // The pods of a node that does not answer would never be gone.
        if (flags.drain && node && isReady(node))
          await empty(context, session, {
            node: name,
            policy: { ignoreDaemonsets: true, deleteEmptydirData: true, force: true },
            flags,
          });
        if (local) await (await openControl(context, flags.name)).delete(name);
        else await client.for(nodeResource).delete({ name });
        context.stdout.write(`node/${name} deleted\n`);
      }),
    );
}

interface Emptying {
  readonly node: string;
  readonly policy: {
    readonly ignoreDaemonsets: boolean;
    readonly deleteEmptydirData: boolean;
    readonly force: boolean;
  };
  readonly flags: Pick<DrainFlags, 'gracePeriod' | 'timeout' | 'podSelector'>;
}

async function empty(
  { clock, signal, stdout, stderr }: CliContext,
  { client }: Session,
  { node, policy, flags }: Emptying,
): Promise<void> {
  const { drainNode } = await import('../drain/drain-node.ts');
  await drainNode(
    {
      client,
      clock,
      signal,
      ...policy,
      ...(flags.gracePeriod !== undefined && { gracePeriod: flags.gracePeriod }),
      ...(flags.timeout !== undefined && { timeoutMs: flags.timeout }),
      ...(flags.podSelector !== undefined && { podSelector: flags.podSelector }),
      say: (line) => void stdout.write(`${line}\n`),
      warn: (line) => void stderr.write(`${line}\n`),
    },
    node,
  );
}

async function openControl(
  context: CliContext,
  name: string,
): Promise<Awaited<ReturnType<typeof import('../../cluster/control-socket.ts').controlOf>>> {
  const { controlOf } = await import('../../cluster/control-socket.ts');
  return controlOf(context.home, name);
}

/** The nodes that the cluster's own machine runs; none for clusters that are not Kanoe's on this machine. */
async function localNodes(context: CliContext, flags: ClusterFlags): Promise<readonly NameFlag[]> {
  if (flags.kubeconfig !== undefined || flags.context !== undefined) return [];
  return (await openControl(context, flags.name)).list();
}

function isReady({ status }: Node): boolean {
  return status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') ?? false;
}

function stateOf(node: Node): string {
  const state = isReady(node) ? 'Ready' : 'NotReady';
  return node.spec?.unschedulable ? `${state},SchedulingDisabled` : state;
}
