/** Ends a command with a message on standard error and this exit code: 1 for a failure, 2 for wrong usage. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly exitCode: number;
  /** What the person may do about it; printed on a line of its own. */
  readonly hint: string | undefined;

  constructor(
    message: string,
    options: { readonly exitCode?: number; readonly hint?: string; readonly cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.exitCode = options.exitCode ?? 1;
    this.hint = options.hint;
  }
}
