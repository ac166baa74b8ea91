import { goQuote } from '../go-quote.ts';
import { newApplyConflict } from '../status/errors.ts';
import type { StatusError } from '../status-error.ts';
import { pathsOf, subtractSet, type FieldSet } from './field-set.ts';
import type { ManagerName, OwnedFields } from './managers.ts';
import { formatPath, type FieldPath } from './path-element.ts';

/** The fields that an apply would take from others, by manager id. Caught by whoever may force; else see {@link conflictError}. */
export class ApplyConflicts extends Error {
  readonly conflicts: ReadonlyMap<string, OwnedFields>;

  constructor(conflicts: ReadonlyMap<string, OwnedFields>) {
    super('apply conflicts with other managers');
    this.conflicts = conflicts;
  }

  /** The conflicts over other fields than these. */
  without(allowed: FieldSet): ApplyConflicts {
    const left = new Map<string, OwnedFields>();
    for (const [id, owned] of this.conflicts) {
      const set = subtractSet(owned.set, allowed);
      if (set.size > 0) left.set(id, { ...owned, set });
    }
    return new ApplyConflicts(left);
  }
}

interface Conflict {
  readonly name: ManagerName;
  readonly apiVersion: string;
  readonly paths: readonly FieldPath[];
}

/** The 409 of an apply, with a cause for each field. */
export function conflictError({ conflicts }: ApplyConflicts): StatusError {
  const sorted: readonly Conflict[] = [...conflicts]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { name, apiVersion, set }]) => ({ name, apiVersion, paths: pathsOf(set) }));
  const causes = sorted.flatMap((conflict) =>
    conflict.paths.map((path) => ({
      reason: 'FieldManagerConflict',
      message: `conflict with ${describe(conflict)}`,
      field: formatPath(path),
    })),
  );
  return newApplyConflict(causes, summary(sorted, causes.length));
}

function summary(conflicts: readonly Conflict[], count: number): string {
  const [first] = conflicts;
  if (count === 1 && first) {
    return `Apply failed with 1 conflict: conflict with ${describe(first)}: ${first.paths.map(formatPath).join('')}`;
  }
  const lines = conflicts.flatMap((conflict) => [
    `conflicts with ${describe(conflict)}:`,
    ...conflict.paths.map((path) => `- ${formatPath(path)}`),
  ]);
  return `Apply failed with ${count} conflicts: ${lines.join('\n')}`;
}

function describe({ name, apiVersion }: Conflict): string {
  const subresource = name.subresource === undefined ? '' : ` with subresource ${goQuote(name.subresource)}`;
  const using = name.operation === 'Update' ? ` using ${name.apiVersion ?? apiVersion}` : '';
  return `${goQuote(name.manager)}${subresource}${using}`;
}
