import { resolve } from 'node:path';
import type { KubeObject } from '../machinery/object.ts';
import { startCluster } from '../cluster/start-cluster.ts';
import type { ClusterReport, RunningCluster } from '../cluster/start-cluster.ts';
import { rootlessVariable, type InnerMessage, type RootlessPlace } from '../cluster/rootless/rootless.ts';
import type { CliContext } from './cli-context.ts';
import { CliError } from './cli-error.ts';
import { applyManifests } from './apply-manifests.ts';
import { loadManifests } from './manifests.ts';
import { createProgress } from './progress.ts';
import type { BackgroundMessage } from './run-detached.ts';
import { upOptions, type UpFlags } from './up-flags.ts';
import { waitForWorkloads } from './wait-for-workloads.ts';

/** Starts the cluster in this process and stays until it is told to stop. */
export async function runUp(context: CliContext, flags: UpFlags): Promise<void> {
  const report = reporter(context);
  try {
    const { cluster, unready } = await bringUp(context, flags, report);
    report.ready(cluster, unready);
    await aborted(context.signal);
    report.step('stopping …');
    await cluster.stop();
    report.done();
  } catch (error) {
    report.done();
    const failure = context.signal.aborted ? new CliError('', { exitCode: 130 }) : error;
    context.parent?.send(failed(failure));
    throw failure;
  } finally {
    context.parent?.close();
  }
}

interface BroughtUp {
  readonly cluster: RunningCluster;
  /** What did not become ready in time: the cluster runs on, so that one can see why. */
  readonly unready?: CliError;
}

async function bringUp(context: CliContext, flags: UpFlags, report: Reporter): Promise<BroughtUp> {
  // Manifests are read and checked before anything is started: a typing mistake must not leave a cluster behind.
  const manifests = flags.filename ? await loadManifests(flags.filename, context) : [];
  const rootless = insideOf(context);
  const cluster = await startCluster({
    ...upOptions(context, flags),
    home: context.home,
    clock: context.clock,
    startedAt: flags.startedAt ?? context.startedAt,
    program: context.program,
    searchPath: context.env['PATH'] ?? '/usr/bin:/bin',
    archives: (flags.load ?? []).map((path) => resolve(context.cwd, path)),
    signal: context.signal,
    detached: context.parent !== undefined && rootless?.detached !== false,
    ...(rootless && {
      rootless: {
        place: rootless.place,
        announce: (ports) => context.parent?.send({ type: 'ports', ports } satisfies InnerMessage),
      },
    }),
    ...(flags.kubeconfig !== undefined && { kubeconfig: resolve(context.cwd, flags.kubeconfig) }),
    report,
  });
  try {
    if (manifests.length > 0) {
      if (manifests.some(({ object }) => object.apiVersion.startsWith('gateway.networking.k8s.io/')))
        await cluster.gatewayReady();
      report.step(`applying ${manifests.length} objects …`);
      const applied = await applyManifests(cluster.client, manifests, (line) => report.line(line));
      if (applied.failed > 0)
        throw new CliError(`${applied.failed} of ${manifests.length} objects could not be applied`);
      const unready = flags.wait ? await waitFor(cluster, applied.objects) : undefined;
      for (const url of await cluster.urls(applied.objects)) report.line(url);
      if (unready) return { cluster, unready };
    }
    return { cluster };
  } catch (error) {
    await cluster.stop();
    throw error;
  }

  async function waitFor(
    { client }: RunningCluster,
    objects: readonly KubeObject[],
  ): Promise<CliError | undefined> {
    try {
      await waitForWorkloads(client, objects, {
        clock: context.clock,
        timeoutMs: flags.timeout * 1000,
        signal: context.signal,
        report: (text) => report.step(text),
      });
      return undefined;
    } catch (error) {
      if (error instanceof CliError) return error;
      throw error;
    }
  }
}

/** Where the outside is, when this process was started inside namespaces. */
function insideOf(
  context: CliContext,
): { readonly place: RootlessPlace; readonly detached: boolean } | undefined {
  const text = context.env[rootlessVariable];
  if (text === undefined) return undefined;
  return {
    place: JSON.parse(text) as RootlessPlace,
    detached: context.argv.some((word) => word === '-d' || word === '--detach'),
  };
}

interface Reporter extends ClusterReport {
  /** The cluster is up; whoever waits in front of one in the background gets `unready` as its failure. */
  ready(cluster: RunningCluster, unready?: CliError): void;
  done(): void;
}

/** Progress goes to the person here, or to the process that started this one in the background. */
function reporter(context: CliContext): Reporter {
  const progress = createProgress(context);
  const { parent } = context;
  const tell = (type: 'step' | 'line' | 'warn', text: string): void => {
    if (parent) parent.send({ type, text } satisfies BackgroundMessage);
    progress[type](text);
  };
  return {
    step: (text) => tell('step', text),
    line: (text) => tell('line', text),
    warn: (text) => tell('warn', text),
    done: () => progress.done(),
    ready(cluster, unready) {
      progress.done();
      for (const line of cluster.greeting()) tell('line', line);
      if (!parent) {
        if (unready) progress.warn(unready.message);
        progress.line('Ctrl-C stops the cluster; its data stays.');
        return;
      }
      parent.send(
        unready
          ? failed(new CliError(`${unready.message}\nThe cluster runs on; kanoe down stops it.`))
          : ({ type: 'ready' } satisfies BackgroundMessage),
      );
      parent.close();
    },
  };
}

function failed(error: unknown): BackgroundMessage {
  const exitCode = error instanceof CliError ? error.exitCode : 1;
  return { type: 'failed', message: error instanceof Error ? error.message : String(error), exitCode };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    if (signal.aborted) done();
    signal.addEventListener('abort', () => done(), { once: true });
  });
}
