/** What a header field is to a proxy; fields that are nothing to it are passed on. */
export type FieldMeaning =
  | 'host'
  | 'length'
  | 'coding'
  | 'connection'
  | 'agent'
  | 'date'
  | 'forwarded-for'
  /** Said anew, or only about the connection it came by. */
  | 'dropped'
  /** Changes how a message goes on. */
  | 'odd'
  | 'passed';

const meanings: Readonly<Record<string, FieldMeaning>> = {
  host: 'host',
  'content-length': 'length',
  'transfer-encoding': 'coding',
  connection: 'connection',
  'user-agent': 'agent',
  date: 'date',
  'x-forwarded-for': 'forwarded-for',
  'x-forwarded-proto': 'dropped',
  'x-forwarded-host': 'dropped',
  'x-forwarded-port': 'dropped',
  'keep-alive': 'dropped',
  'proxy-connection': 'dropped',
  expect: 'odd',
  'http2-settings': 'odd',
  te: 'odd',
  trailer: 'odd',
  upgrade: 'odd',
};

const maxKnown = 1_000;

/** Looks field names up as they are spelled; spellings that were seen are remembered. */
export function createFieldMeanings(): (name: string) => FieldMeaning {
  const known = new Map<string, FieldMeaning>();
  return (name) => {
    let meaning = known.get(name);
    if (meaning === undefined) {
      const lower = name.toLowerCase();
      meaning = Object.hasOwn(meanings, lower) ? (meanings[lower] ?? 'passed') : 'passed';
      if (known.size >= maxKnown) known.clear();
      known.set(name, meaning);
    }
    return meaning;
  };
}
