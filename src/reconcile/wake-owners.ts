import type { KubeObject, Live } from '../machinery/object.ts';
import type { Informer } from './informer.ts';
import { controllerOf } from './owner.ts';
import { objectKey } from './reconciler.ts';

/** Why an owner is woken: one of its dependents came, changed or went, or came from or went to another owner. */
export type WakeCause = 'came' | 'changed' | 'went' | 'moved';

export interface OwnerWaking<Owner extends KubeObject, Dependent extends KubeObject> {
  readonly owners: Pick<Informer<Owner>, 'list'>;
  readonly dependents: Pick<Informer<Dependent>, 'addHandler'>;
  /** The owners' kind, as references name it. */
  readonly kind: string;
  /** Whether an owner may want to adopt a dependent that nobody manages. */
  wants(owner: Live<Owner>, dependent: Live<Dependent>): boolean;
  wake(key: string, cause: WakeCause): void;
}

/** Wakes the owner of each dependent that changes, and of one that has none whoever may want to adopt it. */
export function wakeOwners<Owner extends KubeObject, Dependent extends KubeObject>(
  waking: OwnerWaking<Owner, Dependent>,
): void {
  const { owners, dependents, kind, wants, wake } = waking;
  dependents.addHandler({
    onAdd: (dependent) => wakeFor(dependent, 'came'),
    onUpdate(dependent, previous) {
      if (controllerOf(previous)?.uid === controllerOf(dependent)?.uid) return wakeFor(dependent, 'changed');
      wakeFor(previous, 'moved');
      wakeFor(dependent, 'moved');
    },
    onDelete: (dependent) => wakeFor(dependent, 'went'),
  });

  function wakeFor(dependent: Live<Dependent>, cause: WakeCause): void {
    const { namespace = '', deletionTimestamp } = dependent.metadata;
    const reference = controllerOf(dependent);
    if (reference) {
      if (reference.kind === kind) wake(`${namespace}/${reference.name}`, cause);
      return;
    }
    if (deletionTimestamp !== undefined) return;
    for (const owner of owners.list(namespace)) if (wants(owner, dependent)) wake(objectKey(owner), cause);
  }
}
