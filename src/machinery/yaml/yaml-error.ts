/** A text that is no YAML. */
export class YamlError extends Error {
  override readonly name = 'YamlError';
  readonly code = 'YAML';
  /** Counted from 1. */
  readonly line: number;
  readonly reason: string;
  readonly file: string | undefined;

  constructor(reason: string, where: { readonly line: number; readonly file?: string | undefined }) {
    const problem = `yaml: line ${where.line}: ${reason}`;
    super(
      where.file === undefined
        ? problem
        : `error parsing ${where.file}: error converting YAML to JSON: ${problem}`,
    );
    this.line = where.line;
    this.reason = reason;
    this.file = where.file;
  }
}
