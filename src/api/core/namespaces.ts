import { type FieldError, invalid } from '../../machinery/field-error.ts';
import { mutableCopy } from '../../machinery/mutable-copy.ts';
import type { DeepMutable } from '../../machinery/object.ts';
import { dns1123LabelErrors, nameRule, qualifiedNameErrors } from '../../machinery/validation/names.ts';
import { ageColumn, nameColumn } from '../columns.ts';
import { defineResource, type ResourceDefinition } from '../resource.ts';
import { type Namespace, namespaces as namespaceType } from './v1.gen.ts';

/** The label that the server keeps equal to the namespace's name. */
const NAMESPACE_NAME_LABEL = 'kubernetes.io/metadata.name';

const STANDARD_FINALIZERS: readonly string[] = ['kubernetes', 'orphan', 'foregroundDeletion'];

/** Scopes for names. One is gone only when its contents are: the finalizers in its spec hold it until then. */
export const namespaces: ResourceDefinition<Namespace> = defineResource<Namespace>({
  storage: 'v1',
  versions: { v1: { type: namespaceType, schema: 'io.k8s.api.core.v1.Namespace', defaults: labelWithName } },
  validateName: nameRule(dns1123LabelErrors),
  withoutDeleteCollection: true,
  prepareForCreate(namespace) {
    labelWithName(namespace);
    const finalizers = namespace.spec?.finalizers ?? [];
    namespace.spec = {
      ...namespace.spec,
      finalizers: finalizers.includes('kubernetes') ? finalizers : [...finalizers, 'kubernetes'],
    };
    namespace.status = { phase: 'Active' };
  },
  prepareForUpdate(next, old) {
    labelWithName(next);
    next.spec = mutableCopy(old.spec);
    if (old.status) next.status = mutableCopy(old.status);
    else delete next.status;
  },
  validate: ({ spec }) =>
    (spec?.finalizers ?? []).flatMap((name) => finalizerErrors(name, 'spec.finalizers')),
  status: { validate: validateStatus },
  subresources: {
    finalize: {
      kind: { group: '', version: 'v1', kind: 'Namespace' },
      verbs: ['update'],
      schema: 'io.k8s.api.core.v1.Namespace',
      resets: ['status'],
      merge(next, old) {
        if (old.status) next.status = mutableCopy(old.status);
        else delete next.status;
      },
      validateUpdate: ({ spec }) =>
        (spec?.finalizers ?? []).flatMap((name, index) => finalizerErrors(name, `spec.finalizers[${index}]`)),
    },
  },
  hasSpecFinalizers: ({ spec }) => (spec?.finalizers ?? []).length > 0,
  gracefulDelete(namespace) {
    namespace.status = { ...namespace.status, phase: 'Terminating' };
    return 0;
  },
  selectableFields: {
    name: ({ metadata }) => metadata.name ?? '',
    'status.phase': ({ status }) => status?.phase ?? '',
  },
  columns: [
    nameColumn(),
    { name: 'Status', type: 'string', cell: ({ status }) => status?.phase ?? '' },
    ageColumn(),
  ],
});

function labelWithName({ metadata }: DeepMutable<Namespace>): void {
  if (metadata.name) metadata.labels = { ...metadata.labels, [NAMESPACE_NAME_LABEL]: metadata.name };
}

function finalizerErrors(name: string, path: string): FieldError[] {
  const errors = qualifiedNameErrors(name).map((message) => invalid(path, name, message));
  if (!name.includes('/') && !STANDARD_FINALIZERS.includes(name)) {
    errors.push(invalid(path, name, 'name is neither a standard finalizer name nor is it fully qualified'));
  }
  return errors;
}

function validateStatus({ metadata, status }: Namespace): FieldError[] {
  const phase = status?.phase ?? '';
  const [expected, condition] = metadata.deletionTimestamp
    ? ['Terminating', '`deletionTimestamp` is not empty']
    : ['Active', '`deletionTimestamp` is empty'];
  return phase === expected
    ? []
    : [invalid('status.phase', phase, `may only be '${expected}' if ${condition}`)];
}
