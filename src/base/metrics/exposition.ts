/** One line of a metric. */
export interface Sample {
  /** `_bucket`, `_sum`, `_count`, or nothing. */
  readonly suffix: string;
  /** `a="x",b="y"`, or nothing. */
  readonly labels: string;
  readonly value: number;
}

/** A metric with all its label values. */
export interface MetricFamily {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram' | 'summary';
  /** Names of its labels, without `le` and `quantile`. */
  readonly labels: readonly string[];
  samples(): Iterable<Sample>;
}

/** A family in Prometheus' text format 0.0.4; nothing when it has no values yet. */
export function expositionOf({ name, help, type, samples }: Omit<MetricFamily, 'labels'>): string {
  const lines: string[] = [];
  for (const { suffix, labels, value } of samples()) {
    const braces = labels === '' ? '' : `{${labels}}`;
    lines.push(`${name}${suffix}${braces} ${numberText(value)}\n`);
  }
  if (lines.length === 0) return '';
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('')}`;
}

/** Numbers as Go prints them. */
export function numberText(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  if (value === Number.NEGATIVE_INFINITY) return '-Inf';
  if (Number.isNaN(value)) return 'NaN';
  const size = Math.abs(value);
  if (size !== 0 && (size >= 1e21 || size < 1e-4))
    return value.toExponential().replace(/e([+-])(\d)$/, 'e$10$2');
  return size >= 1e6 ? value.toExponential().replace(/e([+-])(\d)$/, 'e$10$2') : String(value);
}

/** `a="x",b="y"`. */
export function labelText(names: readonly string[], values: readonly string[]): string {
  return names.map((name, at) => `${name}="${escaped(values[at] ?? '')}"`).join(',');
}

function escaped(value: string): string {
  return /[\\"\n]/.test(value)
    ? value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
    : value;
}
