const time = /\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2})/g;
const offset = /\$\(time-offset-nanosecond (-?\d+)\)/g;

/** Writes every time in a text as what lies between it and the beginning of the recording, as kwokctl does. */
export function toOffsets(text: string, startMs: number): string {
  return text.replaceAll(time, (found) => {
    const ms = Date.parse(found);
    return Number.isNaN(ms)
      ? found
      : `$(time-offset-nanosecond ${BigInt(Math.round(ms - startMs)) * 1_000_000n})`;
  });
}

/** The times again, as if the recording began at `startMs`; `MicroTime` where the text had a fraction is kept as seconds. */
export function fromOffsets(text: string, startMs: number): string {
  return text.replaceAll(offset, (_, nanos: string) => {
    const at = new Date(startMs + Number(BigInt(nanos) / 1_000_000n));
    return `${at.toISOString().slice(0, 23)}000Z`;
  });
}
