import { isDeepStrictEqual } from 'node:util';
import { approvalState, isProtectedGroup } from '../../api/apiextensions/api-approval.ts';
import { setCondition, type NewCondition } from '../../api/apiextensions/definition-conditions.ts';
import type {
  CustomResourceDefinition,
  CustomResourceDefinitionNames,
  CustomResourceDefinitionStatus,
} from '../../api/apiextensions/v1.gen.ts';
import { aggregate } from '../../machinery/status/errors.ts';
import { mutableCopy } from '../../machinery/mutable-copy.ts';
import type { DeepMutable } from '../../machinery/object.ts';

type Names = DeepMutable<CustomResourceDefinitionNames>;

/**
 * The status that a definition should have: which of its names are accepted beside the other definitions of its group, and
 * whether it is established. `now` in milliseconds.
 */
export function desiredStatus(
  definition: CustomResourceDefinition,
  others: Iterable<CustomResourceDefinition>,
  now: number,
): DeepMutable<CustomResourceDefinitionStatus> {
  const { spec } = definition;
  const status = mutableCopy<CustomResourceDefinitionStatus>(
    definition.status ?? { acceptedNames: { plural: '', kind: '' }, conditions: [], storedVersions: [] },
  );
  const { names, conflict } = namesOf(spec.names, status.acceptedNames, usedNames(definition, others));
  status.acceptedNames = names;
  setCondition(
    status,
    now,
    conflict ?? {
      type: 'NamesAccepted',
      status: 'True',
      reason: 'NoConflicts',
      message: 'no conflicts found',
    },
  );
  const established = status.conditions.find(({ type }) => type === 'Established');
  if (established?.status !== 'True') setCondition(status, now, conflict ? notAccepted : accepted);
  if (isProtectedGroup(spec.group)) setCondition(status, now, approval(definition));
  return status;
}

const notAccepted: NewCondition = {
  type: 'Established',
  status: 'False',
  reason: 'NotAccepted',
  message: 'not all names are accepted',
};
const accepted: NewCondition = {
  type: 'Established',
  status: 'True',
  reason: 'InitialNamesAccepted',
  message: 'the initial names have been accepted',
};

const approvalReasons = {
  missing: 'MissingAnnotation',
  bypassed: 'UnapprovedAnnotation',
  approved: 'ApprovedAnnotation',
  invalid: 'InvalidAnnotation',
} as const;

function approval({ metadata }: CustomResourceDefinition): NewCondition {
  const { state, reason } = approvalState(metadata.annotations);
  return {
    type: 'KubernetesAPIApprovalPolicyConformant',
    status: state === 'approved' ? 'True' : 'False',
    reason: approvalReasons[state],
    message: reason,
  };
}

interface Used {
  readonly resources: ReadonlySet<string>;
  readonly kinds: ReadonlySet<string>;
}

function usedNames(
  { metadata, spec }: CustomResourceDefinition,
  others: Iterable<CustomResourceDefinition>,
): Used {
  const resources = new Set<string>();
  const kinds = new Set<string>();
  for (const other of others) {
    if (other.metadata.name === metadata.name || other.spec.group !== spec.group) continue;
    const names = other.status?.acceptedNames;
    if (!names) continue;
    for (const name of [names.plural, names.singular ?? '', ...(names.shortNames ?? [])]) resources.add(name);
    for (const name of [names.kind, names.listKind ?? '']) kinds.add(name);
  }
  resources.delete('');
  kinds.delete('');
  return { resources, kinds };
}

/** The names that are accepted now, and the last conflict. */
function namesOf(
  wanted: CustomResourceDefinitionNames,
  held: CustomResourceDefinitionNames,
  used: Used,
): { readonly names: Names; readonly conflict: NewCondition | undefined } {
  const names = mutableCopy<CustomResourceDefinitionNames>(held);
  let conflict: NewCondition | undefined;
  const refuse = (reason: string, message: string): void => {
    conflict = { type: 'NamesAccepted', status: 'False', reason, message };
  };
  const taken = (name: string): string => `${JSON.stringify(name)} is already in use`;
  const single = [
    ['plural', used.resources, 'PluralConflict'],
    ['singular', used.resources, 'SingularConflict'],
    ['kind', used.kinds, 'KindConflict'],
    ['listKind', used.kinds, 'ListKindConflict'],
  ] as const;
  for (const [part, others, reason] of single.slice(0, 2)) take(part, others, reason);
  if (!isDeepStrictEqual(wanted.shortNames, held.shortNames)) {
    const clashes = (wanted.shortNames ?? []).filter(
      (name) => !held.shortNames?.includes(name) && used.resources.has(name),
    );
    if (clashes.length > 0) refuse('ShortNamesConflict', aggregate(clashes.map(taken)));
    else if (wanted.shortNames) names.shortNames = [...wanted.shortNames];
    else delete names.shortNames;
  }
  for (const [part, others, reason] of single.slice(2)) take(part, others, reason);
  if (wanted.categories) names.categories = [...wanted.categories];
  else delete names.categories;
  return { names, conflict };

  function take(
    part: 'plural' | 'singular' | 'kind' | 'listKind',
    others: ReadonlySet<string>,
    reason: string,
  ): void {
    const name = wanted[part] ?? '';
    if (name !== (held[part] ?? '') && others.has(name)) refuse(reason, taken(name));
    else names[part] = name;
  }
}
