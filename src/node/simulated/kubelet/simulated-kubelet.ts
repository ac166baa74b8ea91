import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { connect } from 'node:net';
import { Duplex, PassThrough, type Readable, type Writable } from 'node:stream';
import type { Clock } from '../../../base/clock.ts';
import type { Pod } from '../../../api/core/v1.gen.ts';
import { newBadRequest, newNotFound } from '../../../machinery/status/errors.ts';
import type { Live } from '../../../machinery/object.ts';
import type { Informer, InformerFactory } from '../../../reconcile/informer.ts';
import { RuntimeError, type ExecOptions, type ExecSession } from '../../container-runtime.ts';
import type { KubeletBackend } from '../../kubelet-server/kubelet-backend.ts';
import type { PodLogOptions } from '../../logs/pod-logs.ts';
import { readLog } from '../../logs/read-log.ts';
import { startSession } from '../../runtimes/exec-session.ts';
import { entryFor, PodConfiguration } from '../kwok/configured-pods.ts';
import {
  podAttachResources,
  podExecResources,
  podForwardResources,
  podLogsResources,
  type AttachEntry,
  type ExecEntry,
  type ForwardEntry,
  type LogsEntry,
  type PodAttachResource,
  type PodExecResource,
  type PodForwardResource,
  type PodLogsResource,
} from '../kwok/pod-resources.ts';

export interface SimulatedKubeletOptions {
  readonly informers: InformerFactory;
  readonly pods: Informer<Pod>;
  readonly clock: Clock;
  /** The environment of commands: where programs of this machine are. */
  readonly searchPath: string;
}

/** Answers for all simulated nodes: logs, commands and connections of pods are what KWOK's resources say about them. */
export function createSimulatedKubelet({
  informers,
  pods,
  clock,
  searchPath,
}: SimulatedKubeletOptions): KubeletBackend {
  const logs = new PodConfiguration<PodLogsResource, LogsEntry>(
    informers,
    podLogsResources,
    ({ spec }) => spec.logs ?? [],
  );
  const attaches = new PodConfiguration<PodAttachResource, AttachEntry>(
    informers,
    podAttachResources,
    ({ spec }) => spec.attaches ?? [],
  );
  const execs = new PodConfiguration<PodExecResource, ExecEntry>(
    informers,
    podExecResources,
    ({ spec }) => spec.execs ?? [],
  );
  const forwards = new PodConfiguration<PodForwardResource, ForwardEntry>(
    informers,
    podForwardResources,
    ({ spec }) => spec.forwards ?? [],
  );

  function podOf(namespace: string, name: string): Live<Pod> {
    const pod = pods.get(namespace, name);
    if (!pod) throw newNotFound({ group: '', resource: 'pods' }, name);
    return pod;
  }

  function readLogs(options: PodLogOptions): AsyncIterable<Buffer> {
    const { namespace, pod, container = '', previous = false, follow = false } = options;
    podOf(namespace, pod);
    const entry = entryFor(logs.entries(namespace, pod), container);
    const file = previous ? entry?.previousLogsFile : entry?.logsFile;
    if (file === undefined || file === '')
      throw newBadRequest(`no logs found for container "${container}" in pod "${namespace}/${pod}"`);
    const { sinceSeconds, sinceTime } = options;
    const since =
      sinceSeconds !== undefined
        ? clock.now() - sinceSeconds * 1000
        : sinceTime === undefined
          ? undefined
          : Date.parse(sinceTime);
    return readLog(file, {
      ...options,
      follow: follow && entry?.follow === true,
      since,
      clock,
      signal: options.signal ?? new AbortController().signal,
      isOver: () => false,
    });
  }

  async function exec(id: string, options: ExecOptions): Promise<ExecSession> {
    const [namespace, pod, container] = partsOf(id);
    const local = entryFor(execs.entries(namespace, pod), container)?.local;
    if (!local)
      throw new RuntimeError(
        'UNSUPPORTED',
        `no exec target found for container "${container}" in pod "${namespace}/${pod}"`,
      );
    const [file = '', ...args] = options.command;
    const { runAsUser, runAsGroup } = local.securityContext ?? {};
    const user = runAsUser === undefined ? [] : [`--reuid=${runAsUser}`];
    const group = runAsGroup === undefined ? [] : [`--regid=${runAsGroup}`];
    const changed = user.length + group.length > 0;
    return await startSession({
      file: changed ? 'setpriv' : file,
      args: changed ? [...user, ...group, '--clear-groups', file, ...args] : args,
      env: {
        PATH: searchPath,
        ...Object.fromEntries((local.envs ?? []).map(({ name, value = '' }) => [name, value])),
      },
      cwd: local.workDir ?? '/',
      tty: options.tty,
      stdin: options.stdin,
      guarded: true,
    });
  }

  async function attach(id: string): Promise<ExecSession> {
    const [namespace, pod, container] = partsOf(id);
    const file = entryFor(attaches.entries(namespace, pod), container)?.logsFile;
    if (file === undefined)
      throw new RuntimeError(
        'UNSUPPORTED',
        `no attach target found for container "${container}" in pod "${namespace}/${pod}"`,
      );
    const stdout = new PassThrough();
    const over = new AbortController();
    const exited = follow(file, stdout, over.signal).then(() => 0);
    return Promise.resolve({
      stdin: undefined,
      stdout,
      stderr: undefined,
      exited,
      resize: () => undefined,
      close: () => over.abort(),
    });
  }

  async function follow(file: string, into: PassThrough, signal: AbortSignal): Promise<void> {
    for await (const line of readLog(file, {
      follow: true,
      clock,
      signal,
      since: undefined,
      isOver: () => false,
    }))
      into.write(line);
    into.end();
  }

  async function connectPort(id: string, port: number): Promise<Duplex> {
    const [namespace, pod] = partsOf(id);
    const entries = forwards.entries(namespace, pod);
    const entry =
      entries.find(({ ports }) => ports?.includes(port) === true) ??
      entries.find(({ ports }) => (ports ?? []).length === 0);
    if (entry?.target) return await dial(entry.target.address, entry.target.port);
    const [file, ...args] = entry?.command ?? [];
    if (file === undefined)
      throw new RuntimeError(
        'UNSUPPORTED',
        `no forward target found for port ${port} of pod "${namespace}/${pod}"`,
      );
    const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'ignore'], env: { PATH: searchPath } });
    return talkTo(child);
  }

  return {
    pods: () => [],
    logs: readLogs,
    containerFor: (namespace, pod, container) =>
      podOf(namespace, pod).spec.containers.some(({ name }) => name === container)
        ? { id: `${namespace}/${pod}/${container}` }
        : undefined,
    sandboxFor: (namespace, pod) => (pods.get(namespace, pod) ? `${namespace}/${pod}/` : undefined),
    runtime: { exec, attach, connectPort },
  };
}

/** What a command reads and writes as a connection. One that has ended takes, and ignores, what still comes. */
function talkTo(child: ChildProcessByStdio<Writable, Readable, null>): Duplex {
  const { stdin, stdout } = child;
  const connection = new Duplex({
    read: () => void stdout.resume(),
    write(chunk: Buffer, _encoding, done) {
      if (stdin.writable) stdin.write(chunk, () => done());
      else done();
    },
    final(done) {
      stdin.end();
      done();
    },
    destroy(error, done) {
      child.kill();
      done(error);
    },
  });
  stdin.on('error', () => undefined);
  stdout.on('data', (chunk: Buffer) => {
    if (!connection.push(chunk)) stdout.pause();
  });
  stdout.on('end', () => connection.push(null));
  child.on('error', (error) => connection.destroy(error));
  return connection;
}

function partsOf(id: string): readonly [namespace: string, pod: string, container: string] {
  const [namespace = '', pod = '', container = ''] = id.split('/');
  return [namespace, pod, container];
}

function dial(host: string, port: number): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, allowHalfOpen: true });
    socket.once('connect', () => resolve(socket));
    socket.once('error', reject);
  });
}
