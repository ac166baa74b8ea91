import type { Answer, Operation } from './operation.ts';
import { sortedParameters, type Parameter } from './parameter.ts';

/** The operations of one path, with the parameters that all of them have. */
export interface PathItem {
  readonly path: string;
  readonly shared: readonly Parameter[];
  readonly operations: readonly { readonly operation: Operation; readonly own: readonly Parameter[] }[];
}

const methods: readonly Operation['method'][] = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch'];

/** Groups operations by path, both in upstream's order. */
export function pathItems(operations: readonly Operation[]): PathItem[] {
  const paths = new Map<string, Operation[]>();
  for (const operation of operations) {
    const others = paths.get(operation.path);
    if (others) others.push(operation);
    else paths.set(operation.path, [operation]);
  }
  return [...paths].sort(([a], [b]) => (a < b ? -1 : 1)).map(([path, all]) => pathItem(path, all));
}

function pathItem(path: string, all: readonly Operation[]): PathItem {
  const key = ({ name, in: place }: Parameter): string => `${place} ${name}`;
  const [first, ...rest] = all;
  const keysOfRest = rest.map(({ parameters }) => new Set(parameters.map(key)));
  const shared = (first?.parameters ?? []).filter((parameter) =>
    keysOfRest.every((keys) => keys.has(key(parameter))),
  );
  const sharedKeys = new Set(shared.map(key));
  return {
    path,
    shared: sortedParameters(shared),
    operations: [...all]
      .sort((a, b) => methods.indexOf(a.method) - methods.indexOf(b.method))
      .map((operation) => ({
        operation,
        own: sortedParameters(operation.parameters.filter((parameter) => !sharedKeys.has(key(parameter)))),
      })),
  };
}

const phrases: Readonly<Record<Answer['code'], string>> = {
  200: 'OK',
  201: 'Created',
  202: 'Accepted',
  401: 'Unauthorized',
};

/** HTTP's word for the status code. */
export function phraseOf(code: Answer['code']): string {
  return phrases[code];
}

/** The messages that operations take and give. */
export function messagesOf(operations: readonly Operation[]): Set<string> {
  const messages = operations.flatMap(({ body, answers }) => [
    ...(body ? [body.message] : []),
    ...answers.flatMap(({ message }) => (message === undefined || message === 'text' ? [] : [message])),
  ]);
  return new Set(messages);
}
