import type { Answer, Operation } from './operation.ts';
import { sortedParameters, type Parameter } from './parameter.ts';

/** The operations of one path, with the parameters that all of them have. */
export interface PathItem {
  readonly path: string;
  readonly shared: readonly Parameter[];
  readonly operations: readonly { readonly operation: Operation; readonly own: readonly Parameter[] }[];
}

const methods: readonly Operation['method'][] = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch'];

/** Groups operations by path, both in upstream's order; each path is made when it is asked for. */
export function* pathItems(operations: readonly Operation[]): Generator<PathItem> {
  const paths = new Map<string, Operation[]>();
  for (const operation of operations) {
    const others = paths.get(operation.path);
    if (others) others.push(operation);
    else paths.set(operation.path, [operation]);
  }
  for (const path of [...paths.keys()].sort()) yield pathItem(path, paths.get(path) ?? []);
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
  const messages = new Set<string>();
  for (const { body, answers } of operations) {
    if (body) messages.add(body.message);
    for (const { message } of answers) {
      if (message !== undefined && message !== 'text') messages.add(message);
    }
  }
  return messages;
}
