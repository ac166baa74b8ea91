import { randomBytes } from 'node:crypto';
import { readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from '../run-command.ts';

const batch = 32;

/** Keeps named pipes ready: Node cannot make them, and starting `mkfifo` for each container would cost milliseconds. */
export class FifoPool {
  readonly #folder: string;
  #ready: string[] = [];
  #refilling: Promise<void> | undefined;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Takes over the pipes that an earlier agent left. */
  async open(): Promise<void> {
    this.#ready = (await readdir(this.#folder)).map((name) => join(this.#folder, name));
    if (this.#ready.length < batch / 4) await this.#refill();
  }

  /** Puts a pipe at each path. */
  async place(paths: readonly string[]): Promise<void> {
    while (this.#ready.length < paths.length) await this.#refill();
    const taken = this.#ready.splice(0, paths.length);
    if (this.#ready.length < batch / 4) void this.#refill();
    await Promise.all(taken.map((from, position) => rename(from, paths[position] ?? from)));
  }

  #refill(): Promise<void> {
    this.#refilling ??= this.#make().finally(() => (this.#refilling = undefined));
    return this.#refilling;
  }

  async #make(): Promise<void> {
    const paths = Array.from({ length: batch }, () => join(this.#folder, randomBytes(8).toString('hex')));
    await runCommand('mkfifo', ['-m', '600', ...paths]);
    this.#ready.push(...paths);
  }
}
