import { type FieldError, duplicate } from '../../machinery/field-error.ts';
import { dns1123LabelErrors } from '../../machinery/validation/names.ts';
import { validateImmutable, validateLabels } from '../../machinery/validation/object-meta.ts';
import { ageColumn, nameColumn } from '../columns.ts';
import { deprecatedNodeLabel } from '../core/deprecated-node-labels.ts';
import { internalCore } from '../core/internal-types.ts';
import { invalidEach } from '../core/pod-spec/invalid-each.ts';
import { roundResources } from '../core/pod-spec/resource-rounding.ts';
import { validateContainerResources } from '../core/pod-spec/validate-resources.ts';
import { validateTolerations } from '../core/pod-spec/validate-scheduling.ts';
import { defineResource, type ResourceDefinition } from '../resource.ts';
import { type RuntimeClass, runtimeclasses } from './v1.gen.ts';

/** Kinds of container runtimes that pods choose from. */
export const runtimeClasses: ResourceDefinition<RuntimeClass> = defineResource<RuntimeClass>({
  storage: 'v1',
  versions: {
    v1: {
      type: runtimeclasses,
      schema: 'io.k8s.api.node.v1.RuntimeClass',
      defaults: ({ overhead }) => roundResources(overhead?.podFixed),
    },
  },
  createOnUpdate: true,
  validate: validateClass,
  warnings: ({ scheduling }) =>
    Object.keys(scheduling?.nodeSelector ?? {})
      .sort()
      .flatMap((key) => deprecatedNodeLabel(key) ?? [])
      .map((detail) => `scheduling.nodeSelector: ${detail}`),
  validateUpdate: (next, old) => [
    ...validateImmutable(next.handler, old.handler, 'handler'),
    ...validateClass(next),
  ],
  columns: [nameColumn(), { name: 'Handler', type: 'string', cell: ({ handler }) => handler }, ageColumn()],
});

function validateClass({ handler, overhead, scheduling }: RuntimeClass): FieldError[] {
  const errors = invalidEach('handler', handler, dns1123LabelErrors(handler));
  if (overhead) {
    errors.push(...validateContainerResources({ limits: overhead.podFixed ?? {} }, 'overhead'));
  }
  if (!scheduling) return errors;
  const { nodeSelector, tolerations = [] } = scheduling;
  errors.push(...validateLabels(nodeSelector, 'scheduling.nodeSelector'));
  errors.push(...validateTolerations(tolerations, 'scheduling.tolerations'));
  const seen = new Set<string>();
  for (const [index, toleration] of tolerations.entries()) {
    const identity = JSON.stringify(internalCore('Toleration', toleration));
    if (seen.has(identity)) {
      errors.push(duplicate(`scheduling.tolerations[${index}]`, internalCore('Toleration', toleration)));
    }
    seen.add(identity);
  }
  return errors;
}
