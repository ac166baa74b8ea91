import { styleText } from 'node:util';
import type { StatusDetails } from '../machinery/meta/v1.gen.ts';
import { isStatus, StatusError } from '../machinery/status-error.ts';
import type { CliContext } from './cli-context.ts';
import { CliError } from './cli-error.ts';

/** What went wrong with some of several objects, where the rest goes on. */
export interface Failures {
  readonly count: number;
  /** Prints the error at once. Throws what is not about one object (a lost connection, a fault of the program). */
  add(error: unknown): void;
  /** Throws a {@link CliError} with exit code 1 and nothing more to say, when there were errors. */
  throwIfAny(): void;
}

export function collectFailures(context: Pick<CliContext, 'stderr' | 'colour'>): Failures {
  let count = 0;
  return {
    get count() {
      return count;
    },
    add(error) {
      const [label, message] = describeFailure(error);
      context.stderr.write(`${context.colour ? styleText('red', label) : label} ${message}\n`);
      count += 1;
    },
    throwIfAny() {
      if (count > 0) throw new CliError('');
    },
  };
}

/** The label and the words of an error about one object. Throws any other error again. */
export function describeFailure(error: unknown): readonly [label: string, message: string] {
  if (isStatus(error, 'Invalid') && error.status.details?.causes) return invalid(error.status.details);
  if (error instanceof StatusError)
    return [`Error from server (${error.reason || 'Unknown'}):`, error.message];
  if (error instanceof CliError) return ['error:', error.message];
  throw error;
}

/** As kubectl says it: all problems of one object, one a line when there are several. */
function invalid({
  kind = '',
  name = '',
  causes = [],
}: StatusDetails): readonly [label: string, message: string] {
  const problems = causes.map(({ field, message }) => (field ? `${field}: ${message}` : `${message}`));
  const listed =
    problems.length === 1 ? problems.join('') : problems.map((problem) => `\n* ${problem}`).join('');
  return [`The ${kind} "${name}" is invalid:`, listed];
}
