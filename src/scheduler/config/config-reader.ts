import { durationMs } from '../../machinery/duration.ts';

/** Reads one object of a configuration strictly; everything wrong is added to `problems`, with its path. */
export interface ConfigReader {
  readonly path: string;
  text(name: string): string | undefined;
  flag(name: string): boolean | undefined;
  /** A whole number. */
  whole(name: string): number | undefined;
  decimal(name: string): number | undefined;
  /** Milliseconds, from Go's notation: `15s`, `1m30s`. */
  duration(name: string): number | undefined;
  texts(name: string): readonly string[] | undefined;
  object(name: string): ConfigReader | undefined;
  objects(name: string): readonly ConfigReader[] | undefined;
  /** The value as it is. */
  raw(name: string): unknown;
  has(name: string): boolean;
  problem(name: string, text: string): void;
  /** Call last: fields that nobody read are unknown. */
  end(): void;
}

/** A reader of `value`, which must be an object. */
export function readConfig(value: unknown, path: string, problems: string[]): ConfigReader {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  if (!isObject) problems.push(`${path || 'the document'}: must be an object`);
  const fields = isObject ? (value as Record<string, unknown>) : {};
  const read = new Set<string>();
  const pathOf = (name: string): string => (path === '' ? name : `${path}.${name}`);

  const reader: ConfigReader = {
    path,
    text: (name) => typed(name, 'a text', (one) => (typeof one === 'string' ? one : undefined)),
    flag: (name) => typed(name, 'true or false', (one) => (typeof one === 'boolean' ? one : undefined)),
    whole: (name) =>
      typed(name, 'a whole number', (one) => (Number.isSafeInteger(one) ? Number(one) : undefined)),
    decimal: (name) => typed(name, 'a number', (one) => (typeof one === 'number' ? one : undefined)),
    duration: (name) => typed(name, 'a duration such as 15s', milliseconds),
    texts: (name) =>
      typed(name, 'a list of texts', (one) => {
        const texts = Array.isArray(one) && one.every((item) => typeof item === 'string');
        return texts ? one : undefined;
      }),
    object(name) {
      const one = reader.raw(name);
      return one === undefined ? undefined : readConfig(one, pathOf(name), problems);
    },
    objects(name) {
      const list = typed(name, 'a list', (one) =>
        Array.isArray(one) ? (one as readonly unknown[]) : undefined,
      );
      return list?.map((one, index) => readConfig(one, `${pathOf(name)}[${index}]`, problems));
    },
    raw(name) {
      read.add(name);
      const one = fields[name];
      return one === null ? undefined : one;
    },
    has: (name) => fields[name] !== undefined && fields[name] !== null,
    problem: (name, text) => void problems.push(`${pathOf(name)}: ${text}`),
    end() {
      for (const name of Object.keys(fields))
        if (!read.has(name)) problems.push(`strict decoding error: unknown field "${pathOf(name)}"`);
    },
  };
  return reader;

  function typed<T>(name: string, what: string, check: (one: unknown) => T | undefined): T | undefined {
    const one = reader.raw(name);
    if (one === undefined) return undefined;
    const checked = check(one);
    if (checked === undefined) reader.problem(name, `must be ${what}`);
    return checked;
  }
}

function milliseconds(value: unknown): number | undefined {
  if (typeof value !== 'string') return undefined;
  try {
    return durationMs(value);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
