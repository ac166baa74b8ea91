import type { Controller } from './controller.ts';

/** A `--controllers` list that names something that does not exist. */
export class UnknownControllerError extends Error {
  override readonly name = 'UnknownControllerError';
  readonly code = 'UNKNOWN_CONTROLLER';
}

/**
 * Chooses controllers as kube-controller-manager's `--controllers` does: `*` stands for all, a name for itself, `-name`
 * for leaving it out; what the list does not mention runs only when `*` is there. `-*` alone runs none. Canonical names and aliases are
 * understood. Throws {@link UnknownControllerError} for any other name.
 */
export function selectControllers(list: string, available: readonly Controller[]): readonly Controller[] {
  const words = list
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');
  const all = words.find((word) => word === '*' || word === '-*') === '*';
  const named = new Map<Controller, boolean>();
  for (const word of words) {
    if (word === '*' || word === '-*') continue;
    const wanted = !word.startsWith('-');
    const controller = find(wanted ? word : word.slice(1), available);
    if (!named.has(controller)) named.set(controller, wanted);
  }
  return available.filter((controller) => named.get(controller) ?? all);
}

function find(word: string, available: readonly Controller[]): Controller {
  const found = available.find(({ name, aliases }) => name === word || aliases.includes(word));
  if (found) return found;
  const names = available.map(({ name }) => name).sort();
  throw new UnknownControllerError(
    `"${word}" is not in the list of known controllers; known are *, ${names.join(', ')} (a leading "-" leaves one out)`,
  );
}
