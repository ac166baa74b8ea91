import { Command, InvalidArgumentError, Option } from 'commander';
import type { RuntimeChoice, SnapshotTime } from '../../cluster/plan-cluster.ts';
import type { CliContext } from '../cli-context.ts';
import { durationArgument, words } from '../flag-values.ts';
import { nameOption } from '../name-option.ts';
import { runDetached } from '../run-detached.ts';
import { runRootless, wantsNamespaces } from '../run-rootless.ts';
import { runUp } from '../run-up.ts';
import type { UpFlags } from '../up-flags.ts';

const runtimes: readonly RuntimeChoice[] = ['auto', 'native', 'process', 'cri'];

const snapshotTimes: readonly SnapshotTime[] = ['start', 'claim', 'never'];

/** `kanoe up`: starts a cluster and stays with it, or leaves it running with `--detach`. */
export function upCommand(context: CliContext): Command {
  return new Command('up')
    .description('start a cluster; Ctrl-C stops it, `--detach` leaves it running')
    .addOption(nameOption())
    .option('-d, --detach', 'return once the cluster is ready and leave it running')
    .option('--data-dir <dir>', 'where the cluster keeps its state (default: in ~/.kanoe/data)')
    .option(
      '--port <port>',
      'port of the API server on 127.0.0.1; 0 takes a free one (default: 6443, or a free one)',
      portNumber,
    )
    .option(
      '--listen <address>',
      'also serve the API at this address of the machine, for nodes elsewhere; 0.0.0.0 is all of them',
    )
    .option('--advertise-address <address>', 'how nodes elsewhere reach this machine (default: --listen)')
    .option(
      '--nodes <count>',
      'number of nodes; 0 is a control plane only (default: those of last time, or 1)',
      count,
    )
    .option('--nodes-simulated <count>', 'number of nodes beside those that run nothing', count, 0)
    .option(
      '--simulated-capacity <amounts>',
      'what a simulated node offers (default: cpu=32,memory=256Gi,pods=110)',
      amounts,
    )
    .option('--simulated-zones <names>', 'zones over which simulated nodes are spread', words)
    .option('--simulated-taint', 'give simulated nodes the taint kwok.x-k8s.io/node=fake:NoSchedule')
    .option('--seed <text>', "decides the simulation's delays and choices", 'kanoe')
    .option(
      '--node-monitor-grace-period <duration>',
      'how long a node may be silent before it counts as lost (default: 50s)',
      durationArgument,
    )
    .option(
      '--node-startup-grace-period <duration>',
      'the same for a node that has not reported yet (default: 60s)',
      durationArgument,
    )
    .option(
      '--default-not-ready-toleration-seconds <seconds>',
      'how long pods stay on a node that is not ready (default: 300)',
      count,
    )
    .option(
      '--default-unreachable-toleration-seconds <seconds>',
      'how long pods stay on a node that is silent (default: 300)',
      count,
    )
    .option(
      '--controllers <list>',
      "controllers to run, as kube-controller-manager's flag: '*', 'name', '-name'",
      '*',
    )
    .option(
      '--enable-admission-plugins <list>',
      "admission plug-ins to run beside the default ones, as kube-apiserver's flag",
      words,
    )
    .option('--disable-admission-plugins <list>', 'default admission plug-ins not to run', words)
    .option(
      '--runtime-config <list>',
      'APIs to switch on: storagemigration.k8s.io/v1beta1=true, api/beta=true',
      words,
    )
    .option('--feature-gates <list>', 'features to switch on: ContainerStopSignals=true', words)
    .option('--legacy-apis', 'also serve the beta API versions that Kubernetes has removed')
    .option('--no-metrics-api', 'do not serve what nodes and pods use (metrics.k8s.io)')
    .option('--no-default-storage-class', 'make no storage class for claims that name none')
    .option('--no-ingress', 'serve neither Ingresses nor Gateways')
    .option('--no-gateway-api', 'do not install the kinds of the Gateway API')
    .addOption(
      new Option('--volume-snapshots <when>', 'when to bring the snapshot API (snapshot.storage.k8s.io)')
        .choices(snapshotTimes)
        .default('claim'),
    )
    .option('--service-cidr <cidr>', 'addresses of services (default: a free 10.x.0.0/16 from 10.96 on)')
    .option('--pod-cidr <cidr>', 'addresses of pods (default: a free 10.x.0.0/16 from 10.244 on)')
    .option(
      '--dual-stack',
      'give pods and services IPv6 addresses, too; both --…-cidr take 10.96.0.0/16,fd00:10:96::/112 for networks of your choice',
    )
    .addOption(new Option('--runtime <runtime>', 'what runs containers').choices(runtimes).default('auto'))
    .option(
      '--container-runtime-endpoint <address>',
      'run containers through a CRI runtime (default with --runtime cri: unix:///run/containerd/containerd.sock)',
    )
    .option('--image-service-endpoint <address>', "the same for images (default: the runtime's)")
    .option(
      '-f, --filename <path>',
      'apply manifests once the cluster is ready: a file, a folder, or - (repeatable)',
      collect,
    )
    .option('--load <file>', 'load images from an archive before pods start (repeatable)', collect)
    .option('--mirror <host=url>', 'pull images of a registry from elsewhere (repeatable)', mirror)
    .option('--kubeconfig <file>', 'write only this kubeconfig file, instead of adding a context to your own')
    .option('--wait', 'wait until the applied workloads are ready')
    .option('--timeout <seconds>', 'how long to wait', count, 300)
    .option('--audit-policy-file <file>', 'what to write to the audit log (audit.k8s.io/v1 Policy)')
    .option('--audit-log-path <file>', 'where to write the audit log; - is the output of the server')
    .option('--audit-log-maxsize <megabytes>', 'size at which the audit log is put aside', count, 100)
    .option('--audit-log-maxbackup <count>', 'how many audit logs put aside are kept; 0 is all', count, 100)
    .option('--audit-log-maxage <days>', 'for how long they are kept; 0 is for ever', count, 366)
    .option(
      '--authentication-config <file>',
      'OpenID Connect issuers and anonymous access (apiserver.config.k8s.io/v1 AuthenticationConfiguration)',
    )
    .option(
      '--authentication-token-webhook-config-file <file>',
      'kubeconfig of a service that is asked about bearer tokens (TokenReview)',
    )
    .option(
      '--scheduler-config <file>',
      'how the scheduler works (kubescheduler.config.k8s.io/v1 KubeSchedulerConfiguration)',
    )
    .option(
      '--scheduler-seed <number>',
      "makes the scheduler's choices among equally good nodes repeatable",
      count,
    )
    .option(
      '--kubelet-config <file>',
      'how the nodes work (kubelet.config.k8s.io/v1beta1 KubeletConfiguration)',
    )
    .option(
      '--kubelet-arg <name=value>',
      "a flag of the kubelet's: eviction-hard=memory.available<1Gi, pod-manifest-path=DIR (repeatable)",
      kubeletArg,
    )
    .addOption(new Option('--started-at <ms>', 'when the first process began').argParser(Number).hideHelp())
    .action(async (flags: UpFlags) => {
      if (flags.detach && !context.parent) await runDetached(context);
      else if (await wantsNamespaces(context, flags)) await runRootless(context, flags);
      else await runUp(context, flags);
    });
}

function collect(value: string, previous: string[] | undefined): string[] {
  return [...(previous ?? []), value];
}

const quantity = /^\d+(?:\.\d+)?(?:[KMGTPE]i|[numkMGTPE])?$/;

function amounts(value: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const word of value.split(',')) {
    const [name = '', amount = ''] = word.split('=');
    if (name.trim() === '' || !quantity.test(amount.trim()))
      throw new InvalidArgumentError('it must be NAME=QUANTITY,…, such as cpu=8,memory=32Gi,pods=110');
    found[name.trim()] = amount.trim();
  }
  return found;
}

function mirror(
  value: string,
  previous: ReadonlyMap<string, string> | undefined,
): ReadonlyMap<string, string> {
  const at = value.indexOf('=');
  const host = value.slice(0, at);
  const url = value.slice(at + 1);
  if (at <= 0 || url === '')
    throw new InvalidArgumentError('it must be HOST=URL, such as docker.io=http://127.0.0.1:5000');
  if (!URL.canParse(url.includes('://') ? url : `http://${url}`))
    throw new InvalidArgumentError(`${JSON.stringify(url)} is not a URL`);
  return new Map([...(previous ?? []), [host, url]]);
}

function kubeletArg(
  value: string,
  previous: readonly (readonly [string, string])[] = [],
): readonly (readonly [string, string])[] {
  const [, name, text] = /^(?:--)?([a-z][a-z-]*)=(.*)$/s.exec(value) ?? [];
  if (name === undefined || text === undefined)
    throw new InvalidArgumentError('it must be NAME=VALUE, such as eviction-hard=memory.available<1Gi');
  return [...previous, [name, text]];
}

function portNumber(value: string): number {
  const port = Number(value);
  if (!/^\d+$/.test(value) || port > 65_535)
    throw new InvalidArgumentError('a port is a number from 0 to 65535');
  return port;
}

function count(value: string): number {
  if (!/^\d+$/.test(value)) throw new InvalidArgumentError('it must be a whole number, 0 or more');
  return Number(value);
}
