import { randomBytes } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import type { Clock } from '../../../base/clock.ts';
import { RuntimeError, type SandboxSpec, type SandboxStatus } from '../../container-runtime.ts';
import type { PodAddress, PodNetwork } from '../../pod-network.ts';
import { writeState } from '../state-file.ts';
import type { Cgroups } from './cgroups.ts';
import type { NativeLayout } from './layout.ts';
import { PortForwarder } from './port-forwarder.ts';
import { readRecords, type SandboxRecord } from './records.ts';
import { makeNamespaces, namespacePaths, removeNamespaces, startPause } from './sandbox-namespaces.ts';
import { UserRanges } from './user-ranges.ts';

export interface SandboxesOptions {
  readonly network: PodNetwork;
  readonly clock: Clock;
  /** Folder of the folders of other clusters' run directories on this machine. */
  readonly neighbours?: string;
}

export interface SandboxMachine {
  readonly layout: NativeLayout;
  readonly cgroups: Cgroups;
  readonly bootId: string;
}

/** The sandboxes of the native runtime: what the containers of one pod share. */
export class Sandboxes {
  readonly #options: SandboxesOptions;
  readonly #machine: SandboxMachine;
  readonly #records = new Map<string, SandboxRecord>();
  readonly #users: UserRanges;
  readonly #forwarders = new Map<string, PortForwarder>();

  constructor(options: SandboxesOptions, machine: SandboxMachine) {
    this.#options = options;
    this.#machine = machine;
    this.#users = new UserRanges(machine.layout.runDirectory, options.neighbours);
  }

  /** Takes over those of an earlier agent. */
  async adopt(): Promise<void> {
    const { records, broken } = await readRecords<SandboxRecord>(
      this.#machine.layout.sandboxes,
      'sandbox.json',
    );
    for (const record of records) this.#records.set(record.id, record);
    await Promise.all(broken.map((id) => this.#delete(id)));
  }

  /** Makes namespaces, cgroup and network; leaves nothing when one of them fails. */
  async run(spec: SandboxSpec, signal?: AbortSignal): Promise<SandboxStatus> {
    signal?.throwIfAborted();
    const { layout, cgroups, bootId } = this.#machine;
    void cgroups.warmUp();
    const id = newId();
    const folder = join(layout.sandboxes, id);
    await mkdir(folder, { mode: 0o700 });
    try {
      const users = spec.userNamespace === true ? await this.#users.take(id) : undefined;
      const namespaces = makeNamespaces(layout, id, spec, users);
      const [, , pausePid] = await Promise.all([
        namespaces,
        writeFile(join(folder, 'hostname'), `${spec.hostname}\n`, { mode: 0o644 }),
        cgroups.create(id, spec.resources).then(async () => {
          if (users) await namespaces;
          return this.#startPause(id, spec);
        }),
      ]);
      const address = spec.hostNetwork ? {} : await this.#attach(id, spec);
      signal?.throwIfAborted();
      const record: SandboxRecord = {
        id,
        spec,
        createdAt: this.#options.clock.now(),
        bootId,
        stopped: false,
        ...address,
        ...(pausePid === undefined ? {} : { pausePid }),
        ...(users && { users }),
      };
      await writeState(join(folder, 'sandbox.json'), record);
      this.#records.set(id, record);
      return this.#status(record);
    } catch (error) {
      await this.#delete(id);
      throw error;
    }
  }

  /** Frees network and namespaces; its containers must have ended. */
  async stop(id: string): Promise<void> {
    const record = this.#records.get(id);
    if (!record || record.stopped) return;
    await this.#forwarders.get(id)?.close();
    this.#forwarders.delete(id);
    await this.#release(id);
    const stopped: SandboxRecord = { ...record, stopped: true };
    await writeState(join(this.#machine.layout.sandboxes, id, 'sandbox.json'), stopped);
    this.#records.set(id, stopped);
  }

  /** Removes its files; its containers must have been removed. */
  async remove(id: string): Promise<void> {
    if (this.#records.delete(id)) await this.#delete(id);
  }

  list(): readonly SandboxStatus[] {
    return [...this.#records.values()].map((record) => this.#status(record));
  }

  /** Throws `RuntimeError` `NOT_FOUND`. */
  /** How a sandbox's containers are run, as its RuntimeClass calls it. */
  handlerOf(id: string): string | undefined {
    return this.#records.get(id)?.spec.runtimeHandler;
  }

  handlers(): ReadonlySet<string | undefined> {
    return new Set([...this.#records.values()].map(({ spec }) => spec.runtimeHandler));
  }

  get(id: string): SandboxRecord {
    const record = this.#records.get(id);
    if (!record) throw new RuntimeError('NOT_FOUND', `sandbox ${id} does not exist`);
    return record;
  }

  async connectPort(sandboxId: string, port: number): Promise<Duplex> {
    const sandbox = this.get(sandboxId);
    if (sandbox.stopped) throw new RuntimeError('NOT_RUNNING', `sandbox ${sandboxId} is stopped`);
    let forwarder = this.#forwarders.get(sandboxId);
    if (!forwarder) {
      const namespace = sandbox.spec.hostNetwork
        ? this.#options.network.nodeNetns
        : this.#netnsPath(sandboxId);
      forwarder = new PortForwarder(join(this.#machine.layout.namespaces, sandboxId), namespace);
      this.#forwarders.set(sandboxId, forwarder);
    }
    return forwarder.connect(port);
  }

  /** Ends the helpers; the sandboxes stay. */
  async close(): Promise<void> {
    await Promise.all([...this.#forwarders.values()].map((forwarder) => forwarder.close()));
  }

  #status(record: SandboxRecord): SandboxStatus {
    const { spec } = record;
    return {
      id: record.id,
      podUid: spec.podUid,
      podName: spec.podName,
      podNamespace: spec.podNamespace,
      attempt: spec.attempt,
      ready: !record.stopped && record.bootId === this.#machine.bootId,
      createdAt: record.createdAt,
      labels: spec.labels,
      annotations: spec.annotations,
      ...(record.ip === undefined ? {} : { ip: record.ip }),
      ...(record.additionalIPs && { additionalIPs: record.additionalIPs }),
    };
  }

  #netnsPath(sandboxId: string): string {
    return join(this.#machine.layout.namespaces, sandboxId, 'net');
  }

  async #attach(id: string, spec: SandboxSpec): Promise<PodAddress> {
    try {
      const pod = { namespace: spec.podNamespace, name: spec.podName, uid: spec.podUid };
      return await this.#options.network.attach(id, this.#netnsPath(id), spec.hostPorts, pod);
    } catch (cause) {
      const detail = cause instanceof Error ? cause.message : String(cause);
      throw new RuntimeError('NETWORK', `failed to setup network for sandbox "${id}": ${detail}`, { cause });
    }
  }

  async #startPause(id: string, spec: SandboxSpec): Promise<number | undefined> {
    if (!spec.shareProcessNamespace || spec.hostPID) return undefined;
    const { cgroups } = this.#machine;
    await cgroups.create(`${id}/pause`, {});
    const { user } = namespacePaths(this.#machine.layout, id, spec);
    return startPause(cgroups.joinFiles(`${id}/pause`), user);
  }

  /** Gives back network, namespaces and the processes of the sandbox. */
  async #release(id: string): Promise<void> {
    const { layout, cgroups } = this.#machine;
    await cgroups.kill(id);
    await this.#options.network.detach(id);
    await removeNamespaces(layout, [id]);
    await this.#users.release(id);
  }

  async #delete(id: string): Promise<void> {
    const { layout, cgroups } = this.#machine;
    await this.#release(id);
    await cgroups.remove(id, this.#options.clock);
    await rm(join(layout.sandboxes, id), { recursive: true, force: true });
  }
}

/** An id as containerd makes them. */
export function newId(): string {
  return randomBytes(32).toString('hex');
}
