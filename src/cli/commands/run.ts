import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Command } from 'commander';
import type { LeaderElection } from '../../cluster/run-component.ts';
import type { Controller } from '../../reconcile/controller.ts';
import type { CliContext } from '../cli-context.ts';
import { CliError } from '../cli-error.ts';
import { addClusterOptions, type ClusterFlags } from '../cluster-options.ts';
import { durationArgument, wholeNumber } from '../flag-values.ts';
import { addNodeOptions, runNodeProcess, type NodeFlags } from '../run-node-process.ts';
import { withSession, type Session } from '../session.ts';

interface ElectionFlags extends ClusterFlags {
  readonly leaderElect: boolean;
  readonly leaderElectLeaseDuration?: number;
  readonly leaderElectRenewDeadline?: number;
  readonly leaderElectRetryPeriod?: number;
  readonly leaderElectResourceName?: string;
  readonly leaderElectResourceNamespace?: string;
}

interface ControllerFlags extends ElectionFlags {
  readonly controllers: string;
  readonly rootCaFile?: string;
  readonly clusterSigningCertFile?: string;
  readonly clusterSigningKeyFile?: string;
}

interface SchedulerFlags extends ElectionFlags {
  readonly config?: string;
  readonly seed?: number;
}

/** `kanoe run`: one part of a control plane, for a cluster that runs elsewhere. */
export function runCommand(context: CliContext): Command {
  return new Command('run')
    .description('run one part of a cluster against any Kubernetes, until stopped')
    .addCommand(controllersCommand(context))
    .addCommand(schedulerCommand(context))
    .addCommand(runNodeCommand(context));
}

function runNodeCommand(context: CliContext): Command {
  return addNodeOptions(addClusterOptions(new Command('node')))
    .description('run this machine as a node (what kubelet and kube-proxy do)')
    .action((flags: ClusterFlags & NodeFlags) =>
      withSession(context, flags, async ({ client, connection }) => {
        await runNodeProcess(context, flags, {
          client,
          server: connection.server,
          ca: connection.ca ?? '',
        });
      }),
    );
}

function controllersCommand(context: CliContext): Command {
  return addElectionOptions(
    addClusterOptions(new Command('controllers'))
      .description('run the controllers (what kube-controller-manager does)')
      .option('--controllers <list>', "which, as kube-controller-manager's flag", '*')
      .option('--root-ca-file <file>', "the authority that pods trust (default: the kubeconfig's)")
      .option('--cluster-signing-cert-file <file>', 'certificate that signs certificate requests')
      .option('--cluster-signing-key-file <file>', 'its key'),
  ).action(async (flags: ControllerFlags) => {
    await withSession(context, flags, async (session) => {
      const controllers = await controllersOf(context, flags, session);
      await run(context, session, { controllers, flags, lock: 'kube-controller-manager' });
    });
  });
}

function schedulerCommand(context: CliContext): Command {
  return addElectionOptions(
    addClusterOptions(new Command('scheduler'))
      .description('run the scheduler (what kube-scheduler does)')
      .option('--config <file>', 'kubescheduler.config.k8s.io/v1 KubeSchedulerConfiguration')
      .option('--seed <number>', 'makes choices among equally good nodes repeatable', wholeNumber),
  ).action(async (flags: SchedulerFlags) => {
    const { readSchedulerFile } = await import('../../cluster/configured-scheduler.ts');
    const { createScheduler, defaultSchedulerOptions } = await import('../../scheduler/scheduler.ts');
    const file = flags.config === undefined ? undefined : resolve(context.cwd, flags.config);
    const configuration = file === undefined ? undefined : await readSchedulerFile(file, '--config');
    const options = configuration?.scheduler ?? defaultSchedulerOptions();
    const seed = flags.seed;
    const own = createScheduler(() => ({ ...options, ...(seed !== undefined && { seed }) }));
    const election = configuration?.leaderElection ?? {};
    const kubeconfig = flags.kubeconfig ?? configuration?.kubeconfig;
    await withSession(context, { ...flags, ...(kubeconfig && { kubeconfig }) }, (session) =>
      run(context, session, {
        controllers: [own],
        flags: {
          ...flags,
          leaderElect: flags.leaderElect && election.leaderElect !== false,
          ...definedOnly({
            leaderElectLeaseDuration: flags.leaderElectLeaseDuration ?? election.leaseDurationMs,
            leaderElectRenewDeadline: flags.leaderElectRenewDeadline ?? election.renewDeadlineMs,
            leaderElectRetryPeriod: flags.leaderElectRetryPeriod ?? election.retryPeriodMs,
            leaderElectResourceName: flags.leaderElectResourceName ?? election.resourceName,
            leaderElectResourceNamespace: flags.leaderElectResourceNamespace ?? election.resourceNamespace,
          }),
        },
        lock: 'kube-scheduler',
        component: options.profiles[0]?.schedulerName ?? 'default-scheduler',
      }),
    );
  });
}

function addElectionOptions(command: Command): Command {
  return command
    .option('--no-leader-elect', 'work at once, even if another one works too')
    .option('--leader-elect-lease-duration <duration>', 'default 15s', durationArgument)
    .option('--leader-elect-renew-deadline <duration>', 'default 10s', durationArgument)
    .option('--leader-elect-retry-period <duration>', 'default 2s', durationArgument)
    .option('--leader-elect-resource-name <name>', "the Lease (default: the one that upstream's uses)")
    .option('--leader-elect-resource-namespace <namespace>', 'default kube-system');
}

async function controllersOf(
  context: CliContext,
  flags: ControllerFlags,
  { connection }: Session,
): Promise<readonly Controller[]> {
  const { allControllers } = await import('../../controllers/catalog.ts');
  const { selectControllers } = await import('../../reconcile/select-controllers.ts');
  const { clusterSigningCertFile: certFile, clusterSigningKeyFile: keyFile, rootCaFile } = flags;
  if ((certFile === undefined) !== (keyFile === undefined))
    throw new CliError('signing needs both --cluster-signing-cert-file and --cluster-signing-key-file');
  const read = (file: string): Promise<string> => readFile(resolve(context.cwd, file), 'utf8');
  const ca = rootCaFile === undefined ? (connection.ca ?? '') : await read(rootCaFile);
  return selectControllers(
    flags.controllers,
    allControllers({
      ca,
      ...(certFile !== undefined &&
        keyFile !== undefined && {
          signingAuthority: { cert: await read(certFile), key: await read(keyFile) },
        }),
    }),
  );
}

interface Component {
  readonly controllers: readonly Controller[];
  readonly flags: ElectionFlags;
  /** The Lease that upstream's component of that name uses, so that never two of them work. */
  readonly lock: string;
  /** As events name it; the Lease's name when absent. */
  readonly component?: string;
}

async function run(
  context: CliContext,
  { client }: Session,
  { controllers, flags, lock, component = lock }: Component,
): Promise<void> {
  const { runComponent } = await import('../../cluster/run-component.ts');
  const leaderElection: LeaderElection = {
    namespace: flags.leaderElectResourceNamespace ?? 'kube-system',
    name: flags.leaderElectResourceName ?? lock,
    component,
    ...definedOnly({
      leaseDurationMs: flags.leaderElectLeaseDuration,
      renewDeadlineMs: flags.leaderElectRenewDeadline,
      retryPeriodMs: flags.leaderElectRetryPeriod,
    }),
  };
  checkDurations(leaderElection);
  const end = await runComponent(controllers, {
    client,
    clock: context.clock,
    signal: context.signal,
    ...(flags.leaderElect && { leaderElection }),
    say: (line) => context.stderr.write(`${line}\n`),
  });
  if (end === 'lost') throw new CliError('leader election lost');
}

function checkDurations({
  leaseDurationMs = 15_000,
  renewDeadlineMs = 10_000,
  retryPeriodMs = 2000,
}: LeaderElection): void {
  if (leaseDurationMs <= renewDeadlineMs)
    throw new CliError('--leader-elect-lease-duration must be longer than --leader-elect-renew-deadline');
  if (renewDeadlineMs <= retryPeriodMs * 1.2)
    throw new CliError('--leader-elect-renew-deadline must be longer than --leader-elect-retry-period');
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

function definedOnly<T extends object>(values: T): Defined<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Defined<T>;
}
