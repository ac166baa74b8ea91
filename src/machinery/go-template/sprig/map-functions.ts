import { plain } from '../format-verbs.ts';
import { templateFunction, type FunctionMap } from '../template-function.ts';

export const mapFunctions: FunctionMap = {
  dict: templateFunction([], dict, 'any'),
};

function dict(...pairs: unknown[]): Record<string, unknown> {
  const made: Record<string, unknown> = {};
  for (let at = 0; at < pairs.length; at += 2)
    made[plain(pairs[at])] = at + 1 < pairs.length ? pairs[at + 1] : '';
  return made;
}
