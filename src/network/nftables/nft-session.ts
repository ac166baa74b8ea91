import { spawn, type ChildProcessByStdio } from 'node:child_process';
import type { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import type { Clock, Timer } from '../../base/clock.ts';
import { NetworkError } from '../network-error.ts';
import type { NetworkPlace } from '../network-place.ts';
import { toolEnvironment } from '../run-tool.ts';

/** nft in one network namespace. Calls take effect in their order. */
export interface Nft {
  /** Brings commands into force in one transaction, or none of them. Throws `NetworkError`. */
  apply(commands: readonly string[]): Promise<void>;
  /** The same for input of any form, such as a whole table. */
  load(input: string): Promise<void>;
  close(): void;
}

/** Longer transactions are given to a process of their own. */
const lineLimit = 8_000;
const idleMs = 10_000;
const patienceMs = 5_000;
/** A command that changes nothing, and what its answer ends with. */
const marker = 'describe tcp dport';
const markerEnd = /^payload expression, datatype inet_service .*\n/m;

interface Waiting {
  resolve(): void;
  reject(error: Error): void;
}

/**
 * An nft that stays for a while after a transaction, since starting one takes longer than most transactions do. Where nft
 * has no interactive mode, each transaction is a process of its own.
 */
export function createNft(place: NetworkPlace, clock: Clock): Nft {
  let session: Session | undefined;
  let idle: Timer | undefined;
  let interactive = true;
  let turn: Promise<unknown> = Promise.resolve();

  function inTurn(act: () => Promise<void>): Promise<void> {
    const next = turn.then(act, act);
    turn = next.catch(() => undefined);
    return next;
  }

  async function load(input: string): Promise<void> {
    await place.run('nft', ['-f', '-'], input);
  }

  async function transact(commands: readonly string[]): Promise<void> {
    const line = commands.join('; ');
    if (!interactive || line.length > lineLimit) return await load(`${commands.join('\n')}\n`);
    idle?.cancel();
    session ??= new Session(place, clock);
    const own = session;
    try {
      await own.transact(line);
    } catch (error) {
      if (own.alive) throw error;
      session = undefined;
      if (own.proven) throw error;
      interactive = false;
      return await load(`${commands.join('\n')}\n`);
    }
    idle = clock.after(idleMs, end);
    return undefined;
  }

  function end(): void {
    idle?.cancel();
    session?.end();
    session = undefined;
  }

  return {
    apply: (commands) => inTurn(() => transact(commands)),
    load: (input) => inTurn(() => load(input)),
    close: end,
  };
}

/** One interactive nft. */
class Session {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #clock: Clock;
  #said = '';
  #waiting: Waiting | undefined;
  /** Whether it takes further transactions. */
  alive = true;
  /** Whether it has answered once. */
  proven = false;

  constructor(place: NetworkPlace, clock: Clock) {
    this.#clock = clock;
    const [file, ...args] = [...place.enter, 'sh', '-c', 'exec nft -i 2>&1'] as const;
    this.#child = spawn(file, args, {
      stdio: ['pipe', 'pipe', 'ignore'],
      env: toolEnvironment,
      cwd: '/',
    });
    this.#child.unref();
    for (const pipe of [this.#child.stdin, this.#child.stdout]) (pipe as Writable & Socket).unref();
    this.#child.stdin.on('error', () => {});
    this.#child.on('error', () => this.#fail('cannot be started'));
    this.#child.on('close', () => this.#fail('ended'));
    this.#child.stdout.on('data', (part: Buffer) => this.#hear(part.toString()));
  }

  transact(line: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = this.#clock.after(patienceMs, () => {
        this.#child.kill('SIGKILL');
        this.#fail('does not answer');
      });
      this.#waiting = {
        resolve: () => (timer.cancel(), resolve()),
        reject: (error) => (timer.cancel(), reject(error)),
      };
      if (this.alive) this.#child.stdin.write(`${line}\n${marker}\n`);
      else this.#fail('ended');
    });
  }

  end(): void {
    this.alive = false;
    this.#child.stdin.end();
  }

  #hear(text: string): void {
    this.#said += text;
    const end = markerEnd.exec(this.#said);
    if (!end) return;
    const complaint = this.#said.slice(0, end.index).trim();
    this.#said = this.#said.slice(end.index + end[0].length);
    this.proven = true;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (complaint === '') waiting?.resolve();
    else waiting?.reject(new NetworkError('TOOL_FAILED', `nft: ${complaint}`));
  }

  #fail(how: string): void {
    this.alive = false;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.reject(new NetworkError('TOOL_FAILED', `nft ${how}: ${this.#said.trim()}`));
  }
}
