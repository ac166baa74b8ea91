import { type FieldError, invalid } from '../../machinery/field-error.ts';
import type { LabelSelector } from '../../machinery/meta/v1.gen.ts';
import { jsonEqual } from '../../machinery/patch/json-value.ts';
import { validateLabelSelector } from '../../machinery/selectors/label-selector.ts';
import { dns1123SubdomainErrors } from '../../machinery/validation/names.ts';
import { validateImmutable } from '../../machinery/validation/object-meta.ts';
import { deprecatedNodeLabel, warnOfNodeLabel } from '../core/deprecated-node-labels.ts';
import { invalidEach } from '../core/pod-spec/invalid-each.ts';
import { compareQuantities } from '../core/pod-spec/quantities.ts';
import { defineResource, type ResourceDefinition } from '../resource.ts';
import { type CSIStorageCapacity, csistoragecapacities } from './v1.gen.ts';

/** How much of a storage class a part of the cluster still has. */
export const csiStorageCapacities: ResourceDefinition<CSIStorageCapacity> =
  defineResource<CSIStorageCapacity>({
    storage: 'v1',
    versions: { v1: { type: csistoragecapacities, schema: 'io.k8s.api.storage.v1.CSIStorageCapacity' } },
    unconditionalUpdate: false,
    validate: validateCapacity,
    warnings: ({ nodeTopology }) => topologyWarnings(nodeTopology),
    validateUpdate: (next, old) => [
      ...validateCapacity(next),
      ...(jsonEqual(next.nodeTopology, old.nodeTopology)
        ? []
        : [invalid('nodeTopology', next.nodeTopology, 'field is immutable')]),
      ...validateImmutable(next.storageClassName, old.storageClassName, 'storageClassName'),
    ],
  });

function quantity(value: string | undefined, field: string): FieldError[] {
  return value !== undefined && compareQuantities(value, '0') < 0
    ? [invalid(field, value, 'must be greater than or equal to 0')]
    : [];
}

function validateCapacity(capacity: CSIStorageCapacity): FieldError[] {
  const { storageClassName } = capacity;
  return [
    ...validateLabelSelector(capacity.nodeTopology, 'nodeTopology'),
    ...invalidEach('storageClassName', storageClassName, dns1123SubdomainErrors(storageClassName)),
    ...quantity(capacity.capacity, 'capacity'),
  ];
}

function topologyWarnings({ matchExpressions = [], matchLabels = {} }: LabelSelector = {}): string[] {
  return [
    ...matchExpressions.flatMap(({ key }, index) =>
      warnOfNodeLabel(key, `nodeTopology.matchExpressions[${index}].key`),
    ),
    ...Object.keys(matchLabels)
      .sort()
      .flatMap((key) => {
        const detail = deprecatedNodeLabel(key);
        return detail === undefined ? [] : [`nodeTopology.matchLabels.${key}: ${detail}`];
      }),
  ];
}
