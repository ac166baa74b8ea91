import { styleText } from 'node:util';
import type { CliContext } from './cli-context.ts';

/** Reports steps of long work: one rewritten line on a terminal, plain lines elsewhere; both on standard error. */
export interface Progress {
  /** A step that has begun. */
  step(text: string): void;
  /** Something that stays on the screen. */
  line(text: string): void;
  /** A line that asks for attention. */
  warn(text: string): void;
  /** Ends the current step's line. */
  done(): void;
}

export function createProgress(context: Pick<CliContext, 'stderr' | 'colour'>): Progress {
  const terminal = context.stderr.isTTY === true;
  let open = false;
  const clear = (): void => {
    if (open) context.stderr.write('\r\u001B[K');
    open = false;
  };
  const paint = (style: Parameters<typeof styleText>[0], text: string): string =>
    context.colour ? styleText(style, text) : text;
  return {
    step(text) {
      if (!terminal) {
        context.stderr.write(`${text}\n`);
        return;
      }
      clear();
      context.stderr.write(`${paint('dim', text)} `);
      open = true;
    },
    line(text) {
      clear();
      context.stderr.write(`${text}\n`);
    },
    warn(text) {
      clear();
      context.stderr.write(`${paint('yellow', 'warning:')} ${text}\n`);
    },
    done: clear,
  };
}
