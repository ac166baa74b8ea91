import { PassThrough } from 'node:stream';
import type { LogStream } from './cri-log-writer.ts';

/** Output from one moment on. */
export interface Attachment {
  readonly stdout: PassThrough;
  readonly stderr: PassThrough;
  detach(): void;
}

const slowReader = 4 * 1024 * 1024;

/** Hands a container's output to all who are attached; a reader that is 4 MiB behind misses output rather than stop the rest. */
export class OutputFanout {
  readonly #attached = new Set<Attachment>();

  attach(): Attachment {
    const attachment: Attachment = {
      stdout: new PassThrough(),
      stderr: new PassThrough(),
      detach: () => {
        if (!this.#attached.delete(attachment)) return;
        attachment.stdout.end();
        attachment.stderr.end();
      },
    };
    this.#attached.add(attachment);
    return attachment;
  }

  write(stream: LogStream, chunk: Buffer): void {
    for (const attachment of this.#attached) {
      if (attachment[stream].writableLength < slowReader) attachment[stream].write(chunk);
    }
  }

  end(): void {
    for (const attachment of this.#attached) attachment.detach();
  }
}
