import type { RestMapper, ServedResource } from '../client/discovery.ts';
import { CliError } from './cli-error.ts';

/** One resource type that a command line names, with the names of objects where it gives some. */
export interface Target {
  readonly served: ServedResource;
  /** Empty: all objects, or those that a selector finds. */
  readonly names: readonly string[];
}

/**
 * Reads `TYPE[,TYPE…] [NAME…]` and `TYPE/NAME…` as kubectl does. Throws {@link CliError} for a type that the server does
 * not have.
 */
export function resourceTargets(args: readonly string[], mapper: RestMapper): Target[] {
  if (args.some((arg) => arg.includes('/'))) return slashTargets(args, mapper);
  const [types = '', ...names] = args;
  const served = types
    .split(',')
    .filter((word) => word !== '')
    .flatMap((word) => servedBy(word, mapper));
  return served.map((one) => ({ served: one, names }));
}

function slashTargets(args: readonly string[], mapper: RestMapper): Target[] {
  return args.map((arg) => {
    const [type = '', name = '', ...more] = arg.split('/');
    if (!arg.includes('/'))
      throw new CliError(
        `"${arg}" cannot stand beside arguments of the form TYPE/NAME: write either TYPE NAME… or TYPE/NAME…`,
        { exitCode: 2 },
      );
    if (type === '' || name === '' || more.length > 0)
      throw new CliError(
        `arguments in resource/name form must have a single resource and name, unlike "${arg}"`,
        {
          exitCode: 2,
        },
      );
    return { served: servedType(type, mapper), names: [name] };
  });
}

function servedBy(word: string, mapper: RestMapper): readonly ServedResource[] {
  const members = mapper.byCategory(word);
  return members.length > 0 ? members : [servedType(word, mapper)];
}

/** The resource type of a word such as `po`, `deploy.apps` or `Job`. Throws {@link CliError}. */
export function servedType(word: string, mapper: RestMapper): ServedResource {
  const found = mapper.byWord(word);
  if (!found) throw new CliError(`the server doesn't have a resource type "${word}"`);
  return found;
}

/** `pod`, `deployment.apps`: how messages and `-o name` call a type. */
export function typeName({ type }: ServedResource): string {
  const kind = type.kind.toLowerCase();
  return type.group === '' ? kind : `${kind}.${type.group}`;
}
