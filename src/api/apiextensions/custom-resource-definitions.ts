import { sameValue } from '../../machinery/same-value.ts';
import { celBase, type CelBase } from '../../machinery/cel/environment.ts';
import { goQuote } from '../../machinery/go-quote.ts';
import type { DeepMutable } from '../../machinery/object.ts';
import { kubernetesSchema } from '../../machinery/schema/table.ts';
import { formatOf } from '../../machinery/structural/formats.ts';
import { loadPatterns } from '../../machinery/structural/patterns.ts';
import { defineResource, type ResourceDefinition } from '../resource.ts';
import {
  validateDefinition,
  validateDefinitionStatus,
  validateDefinitionUpdate,
  type DefinitionValidation,
} from './definition-validation.ts';
import { setCondition } from './definition-conditions.ts';
import { customresourcedefinitions, type CustomResourceDefinition, type JSONSchemaProps } from './v1.gen.ts';

/** Holds a definition back until its objects are gone. */
export const cleanupFinalizer = 'customresourcecleanup.apiextensions.k8s.io';

type Mutable = DeepMutable<CustomResourceDefinition>;

/** `apiextensions.k8s.io/v1 CustomResourceDefinition`. */
export function customResourceDefinitions(): ResourceDefinition<CustomResourceDefinition> {
  let shared: CelBase | undefined;
  const base = (): CelBase => (shared ??= celBase());
  const validation = (): DefinitionValidation => ({ table: kubernetesSchema(), celBase: base });
  return defineResource<CustomResourceDefinition>({
    storage: 'v1',
    upstreamStorage: 'v1beta1',
    versions: {
      v1: {
        type: customresourcedefinitions,
        schema: 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition',
        defaults: setDefaults,
      },
    },
    unconditionalUpdate: false,
    qualifiedFinalizers: false,
    generation: true,
    prepareForCreate(object) {
      // Go has no list of conditions until there is one.
      object.status = { ...emptyStatus(), conditions: undefined as never };
      const stored = object.spec.versions.find(({ storage }) => storage);
      if (stored) object.status.storedVersions = [stored.name];
      dropPreserve(object);
    },
    prepareForUpdate(next, old) {
      const { status = emptyStatus() } = structuredClone({ status: old.status }) as Mutable;
      const stored = next.spec.versions.find(({ storage }) => storage)?.name;
      if (stored !== undefined && !status.storedVersions.includes(stored)) status.storedVersions.push(stored);
      next.status = status;
      dropPreserve(next);
    },
    generationChanged: (next, old) => !sameValue(next.spec, old.spec),
    status: {
      validate: (next) => validateDefinitionStatus(next),
    },
    async allocate() {
      await loadPatterns();
      return undefined;
    },
    validate: (object) => validateDefinition(object, validation()),
    validateUpdate: (next, old) => validateDefinitionUpdate(next, old, validation()),
    warnings: (object, old) => (sameValue(object.spec, old?.spec) ? [] : formatWarnings(object)),
    markDeleted(object, { now }) {
      const { finalizers = [] } = object.metadata;
      if (!finalizers.includes(cleanupFinalizer))
        object.metadata.finalizers = [...finalizers, cleanupFinalizer];
      object.status ??= emptyStatus();
      setCondition(object.status, now, {
        type: 'Terminating',
        status: 'True',
        reason: 'InstanceDeletionPending',
        message: 'CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon',
      });
    },
  });
}

function emptyStatus(): NonNullable<Mutable['status']> {
  return { acceptedNames: { plural: '', kind: '' }, conditions: [], storedVersions: [] };
}

/** `false` is what it is without. */
function dropPreserve({ spec }: Mutable): void {
  if (spec.preserveUnknownFields === false) delete spec.preserveUnknownFields;
}

function setDefaults({ spec, ...object }: Mutable): void {
  const { names } = spec;
  if (!names.singular) names.singular = names.kind.toLowerCase();
  if (!names.listKind && names.kind) names.listKind = `${names.kind}List`;
  spec.conversion ??= { strategy: 'None' };
  const service = spec.conversion.webhook?.clientConfig?.service;
  if (service) service.port ??= 443;
  const { status } = object;
  if (status && status.storedVersions.length === 0) {
    status.storedVersions = spec.versions
      .filter(({ storage }) => storage)
      .slice(0, 1)
      .map(({ name }) => name);
  }
}

function formatWarnings({ spec }: CustomResourceDefinition): string[] {
  const unknown = new Set<string>();
  for (const { schema } of spec.versions) {
    if (schema?.openAPIV3Schema) collectFormats(schema.openAPIV3Schema, unknown);
  }
  return [...unknown].map((format) => `unrecognized format ${goQuote(format)}`);
}

const numberFormats: ReadonlySet<string> = new Set(['int32', 'int64', 'float', 'double']);

function collectFormats(schema: JSONSchemaProps, unknown: Set<string>): void {
  const { format, items, properties = {}, additionalProperties } = schema;
  if (format && !numberFormats.has(format) && !formatOf(format)) unknown.add(format);
  if (items && !Array.isArray(items)) collectFormats(items as JSONSchemaProps, unknown);
  for (const property of Object.values(properties)) collectFormats(property, unknown);
  if (typeof additionalProperties === 'object') collectFormats(additionalProperties, unknown);
}
