import {
  BOOL,
  type CelType,
  DYN,
  INT,
  listOf,
  mapOf,
  STRING,
  structType,
  TIMESTAMP,
  type TypeProvider,
} from '../../machinery/cel/cel-type.ts';

import { MUTATION_TYPES } from '../../machinery/cel/library/json-patch.ts';

type Fields = Readonly<Record<string, CelType>>;

function named(names: string, type: CelType): Fields {
  return Object.fromEntries(names.split(' ').map((name) => [name, type]));
}

/** What `request` and `namespaceObject` are made of, as upstream declares them for policies and match conditions. */
const structs: Readonly<Record<string, Fields>> = {
  'kubernetes.GroupVersionKind': named('group version kind', STRING),
  'kubernetes.GroupVersionResource': named('group version resource', STRING),
  'kubernetes.UserInfo': {
    ...named('username uid', STRING),
    groups: listOf(STRING),
    extra: mapOf(STRING, listOf(STRING)),
  },
  'kubernetes.AdmissionRequest': {
    ...named('kind requestKind', structType('kubernetes.GroupVersionKind')),
    ...named('resource requestResource', structType('kubernetes.GroupVersionResource')),
    ...named('subResource requestSubResource name namespace operation', STRING),
    userInfo: structType('kubernetes.UserInfo'),
    dryRun: BOOL,
    options: DYN,
  },
  'kubernetes.NamespaceSpec': { finalizers: listOf(STRING) },
  'kubernetes.NamespaceCondition': {
    ...named('status type message reason', STRING),
    lastTransitionTime: TIMESTAMP,
  },
  'kubernetes.NamespaceStatus': {
    conditions: listOf(structType('kubernetes.NamespaceCondition')),
    phase: STRING,
  },
  'kubernetes.NamespaceMetadata': {
    ...named('name generateName namespace UID resourceVersion', STRING),
    ...named('labels annotations', mapOf(STRING, STRING)),
    ...named('creationTimestamp deletionTimestamp', TIMESTAMP),
    ...named('deletionGracePeriodSeconds generation', INT),
    finalizers: listOf(STRING),
  },
  'kubernetes.Namespace': {
    metadata: structType('kubernetes.NamespaceMetadata'),
    spec: structType('kubernetes.NamespaceSpec'),
    status: structType('kubernetes.NamespaceStatus'),
  },
};

/** The type of a policy's variables. */
export const variablesType = 'kubernetes.variables';

/** The struct types that expressions of admission see. */
export interface ExpressionTypes {
  /** The types of the variables that are declared so far. */
  readonly variables: ReadonlyMap<string, CelType>;
  /** Whether `Object{…}` and `JSONPatch{…}` may be made. */
  readonly patches: boolean;
}

/** Resolves struct types by name. */
export function expressionTypes({ variables, patches }: ExpressionTypes): TypeProvider {
  return {
    hasType: (name) => patches && MUTATION_TYPES.hasType(name),
    fieldType(typeName, field) {
      if (typeName === variablesType) return variables.get(field);
      if (patches && MUTATION_TYPES.hasType(typeName)) return MUTATION_TYPES.fieldType(typeName, field);
      const fields = Object.hasOwn(structs, typeName) ? structs[typeName] : undefined;
      return fields && Object.hasOwn(fields, field) ? fields[field] : undefined;
    },
  };
}
