import { type FieldError, duplicate, invalid, required, tooLong } from '../../machinery/field-error.ts';
import type { DeepMutable } from '../../machinery/object.ts';
import { jsonEqual } from '../../machinery/patch/json-value.ts';
import { qualifiedNameErrors } from '../../machinery/validation/names.ts';
import { ageColumn, nameColumn } from '../columns.ts';
import { validateDriverName } from '../core/pod-spec/driver-name.ts';
import { nonNegative } from '../core/pod-spec/invalid-each.ts';
import { defineResource, type ResourceDefinition } from '../resource.ts';
import { type CSINode, type CSINodeDriver, csinodes } from './v1.gen.ts';

const MAX_NODE_ID = 256;

/** Which storage drivers run on a node. */
export const csiNodes: ResourceDefinition<CSINode> = defineResource<CSINode>({
  storage: 'v1',
  versions: { v1: { type: csinodes, schema: 'io.k8s.api.storage.v1.CSINode', defaults } },
  unconditionalUpdate: false,
  returnsDeleted: true,
  validate: validateNode,
  validateUpdate: (next, old) => [...validateNode(next), ...validateKept(next, old)],
  columns: [
    nameColumn(),
    { name: 'Drivers', type: 'integer', cell: ({ spec }) => spec.drivers?.length ?? 0 },
    ageColumn(),
  ],
});

function defaults({ spec }: DeepMutable<CSINode>): void {
  for (const driver of spec?.drivers ?? []) driver.topologyKeys ??= [];
}

function goDriver({ name, nodeID, topologyKeys, allocatable }: CSINodeDriver): object {
  return {
    Name: name,
    NodeID: nodeID,
    TopologyKeys: topologyKeys ?? null,
    Allocatable: allocatable ? { Count: allocatable.count ?? null } : null,
  };
}

function validateKept(next: CSINode, old: CSINode): FieldError[] {
  return (old.spec.drivers ?? []).flatMap((before) => {
    const after = (next.spec.drivers ?? []).find(({ name }) => name === before.name);
    if (!after) return [];
    const fixed = ({ allocatable: _allocatable, ...rest }: CSINodeDriver): object => rest;
    const settled = before.allocatable !== undefined && after.allocatable !== undefined;
    const same = jsonEqual(fixed(after), fixed(before)) && (settled || jsonEqual(after, before));
    const shown = settled ? { ...goDriver(after), Allocatable: null } : goDriver(after);
    return same ? [] : [invalid('spec.drivers', shown, 'field is immutable')];
  });
}

function validateNode({ spec }: CSINode): FieldError[] {
  const names = new Set<string>();
  return (spec.drivers ?? []).flatMap((driver, index) => {
    const path = `spec.drivers[${index}]`;
    const errors = [
      ...validateDriverName(driver.name, `${path}.name`),
      ...validateNodeId(driver.nodeID, `${path}.nodeID`),
      ...nonNegative(`${path}.allocatable.count`, driver.allocatable?.count ?? 0),
    ];
    if (names.has(driver.name)) errors.push(duplicate(`${path}.name`, driver.name));
    names.add(driver.name);
    return [...errors, ...validateTopologyKeys(driver.topologyKeys ?? [], path)];
  });
}

function validateNodeId(id: string, field: string): FieldError[] {
  if (id === '') return [required(field)];
  return Buffer.byteLength(id) > MAX_NODE_ID ? [tooLong(field, MAX_NODE_ID)] : [];
}

function validateTopologyKeys(keys: readonly string[], field: string): FieldError[] {
  const seen = new Set<string>();
  return keys.flatMap((key) => {
    const errors: FieldError[] = key === '' ? [required(field)] : [];
    if (seen.has(key)) errors.push(duplicate(field, key));
    seen.add(key);
    return [...errors, ...qualifiedNameErrors(key).map((message) => invalid(field, keys, message))];
  });
}
