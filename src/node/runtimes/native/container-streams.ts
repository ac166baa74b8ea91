import { constants, open as openFile } from 'node:fs';
import { open, rm, type FileHandle } from 'node:fs/promises';
import { Socket } from 'node:net';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { promisify } from 'node:util';
import type { Clock, Timer } from '../../../base/clock.ts';
import { CriLogWriter, type LogRotation, type LogStream } from '../cri-log-writer.ts';
import { OutputFanout, type Attachment } from '../output-fanout.ts';
import { readIfPresent } from '../state-file.ts';

export interface StreamsOptions extends LogRotation {
  /** Folder with the pipes `out`, `err` and, when it has a standard input, `in`. */
  readonly folder: string;
  readonly logPath: string;
  readonly clock: Clock;
}

const readFlags = constants.O_RDONLY | constants.O_NONBLOCK;
const bothFlags = constants.O_RDWR | constants.O_NONBLOCK;

/** A bare descriptor: the socket that gets it owns and closes it. */
const openDescriptor: (path: string, flags: number) => Promise<number> = promisify(openFile);

/**
 * The agent's end of a container's pipes: what the container writes goes into its log and to whoever is attached. While it is
 * open it holds each pipe for writing too, so that the end of a pipe comes only after {@link ContainerStreams.finish}.
 */
export class ContainerStreams {
  readonly #folder: string;
  readonly #log: CriLogWriter;
  readonly #clock: Clock;
  readonly #fanout = new OutputFanout();
  #keepers: FileHandle[] = [];
  #readers: Socket[] = [];
  #ended: Promise<unknown> = Promise.resolve();
  #stdin: Socket | undefined;

  private constructor(options: StreamsOptions) {
    this.#folder = options.folder;
    this.#clock = options.clock;
    this.#log = new CriLogWriter({ ...options, path: options.logPath });
  }

  static async open(options: StreamsOptions): Promise<ContainerStreams> {
    const streams = new ContainerStreams(options);
    await streams.#writeRest('out', 'stdout');
    await streams.#writeRest('err', 'stderr');
    const ends = await Promise.all([streams.#read('out', 'stdout'), streams.#read('err', 'stderr')]);
    streams.#ended = Promise.all(ends.map((end) => end.closed));
    return streams;
  }

  attach(): Attachment {
    return this.#fanout.attach();
  }

  /** The container's standard input, shared by all who attach. */
  async stdin(): Promise<Writable> {
    if (!this.#stdin) {
      const fd = await openDescriptor(join(this.#folder, 'in'), bothFlags);
      this.#stdin = new Socket({ fd, readable: false, writable: true });
      this.#stdin.on('error', () => {});
    }
    return this.#stdin;
  }

  /** Lets go of the standard input, after what was written to it has been taken. */
  async closeStdin(): Promise<void> {
    const stdin = this.#stdin;
    this.#stdin = undefined;
    if (stdin) await new Promise<void>((resolve) => stdin.end(resolve));
  }

  /**
   * The container has ended: takes what its pipes still hold and closes the log; waits no longer than `graceMs` for it. `rest`
   * is output that came to the launcher and not into the pipes.
   */
  async finish(graceMs: number, rest: Buffer): Promise<void> {
    await this.#release();
    let timer: Timer | undefined;
    const late = new Promise<void>((resolve) => {
      timer = this.#clock.after(graceMs, resolve);
    });
    await Promise.race([this.#ended, late]);
    timer?.cancel();
    if (rest.length > 0) this.#take('stdout', rest);
    await this.close();
  }

  /** Stops reading; the container goes on. */
  async close(): Promise<void> {
    for (const reader of this.#readers) reader.destroy();
    await this.#release();
    this.#fanout.end();
    this.#log.close();
  }

  async #release(): Promise<void> {
    this.#stdin?.destroy();
    this.#stdin = undefined;
    const keepers = this.#keepers;
    this.#keepers = [];
    await Promise.all(keepers.map((keeper) => keeper.close().catch(() => {})));
  }

  async #writeRest(name: string, stream: LogStream): Promise<void> {
    const path = join(this.#folder, `${name}.rest`);
    const rest = await readIfPresent(path);
    if (rest) this.#log.write(stream, Buffer.from(rest));
    if (rest !== undefined) await rm(path, { force: true });
  }

  async #read(name: string, stream: LogStream): Promise<{ readonly closed: Promise<void> }> {
    const path = join(this.#folder, name);
    this.#keepers.push(await open(path, bothFlags));
    const fd = await openDescriptor(path, readFlags);
    const reader = new Socket({ fd, readable: true, writable: false });
    this.#readers.push(reader);
    const closed = new Promise<void>((resolve) => {
      reader.once('end', resolve);
      reader.once('close', resolve);
    });
    reader.on('error', () => {});
    reader.on('data', (chunk: Buffer) => this.#take(stream, chunk));
    return { closed };
  }

  #take(stream: LogStream, chunk: Buffer): void {
    this.#fanout.write(stream, chunk);
    this.#log.write(stream, chunk);
  }
}
