const markEnd = 0x01;

/**
 * Runs the command that follows, then says on its output how it ended, and waits to be killed. Signals to the group are for the
 * command. Argument 0 is the mark's secret.
 */
export const markScript = `trap : HUP INT QUIT TERM USR1 USR2; "$@"; printf '\\001%s:%s\\001' "$0" $? && exec sleep 60`;

/**
 * Finds in an output where its program ended. A pseudo terminal is closed with its last program, and libuv takes that for the
 * end of what can be read, whatever the terminal still holds; so a shell keeps it open until the mark has been read.
 */
export class EndMark {
  readonly #start: Buffer;
  #held: Buffer = Buffer.alloc(0);

  constructor(secret: string) {
    this.#start = Buffer.from(`\u0001${secret}:`);
  }

  /** The output in `chunk`, without the mark; with the exit code once the program has ended. */
  take(chunk: Buffer): { readonly output: Buffer; readonly code?: number } {
    const text = Buffer.concat([this.#held, chunk]);
    const at = text.indexOf(this.#start);
    if (at >= 0) {
      const end = text.indexOf(markEnd, at + this.#start.length);
      if (end >= 0) {
        const code = Number(text.toString('latin1', at + this.#start.length, end));
        return { output: text.subarray(0, at), code };
      }
    }
    const sure = at >= 0 ? at : text.length - this.#beginningAtEndOf(text);
    this.#held = Buffer.from(text.subarray(sure));
    return { output: text.subarray(0, sure) };
  }

  /** How many bytes at the end of `text` may be the beginning of the mark. */
  #beginningAtEndOf(text: Buffer): number {
    for (let size = Math.min(this.#start.length - 1, text.length); size > 0; size -= 1)
      if (text.subarray(text.length - size).equals(this.#start.subarray(0, size))) return size;
    return 0;
  }
}
