import type { CustomForm } from '../../api/custom-form.ts';
import { parseJson } from '../../machinery/json/parse-json.ts';
import { mutableCopy } from '../../machinery/mutable-copy.ts';
import {
  apiVersionOf,
  type DeepMutable,
  type KubeObject,
  type ResourceType,
} from '../../machinery/object.ts';
import { encodeObject } from '../../machinery/schema/encode-object.ts';
import type { GroupVersionKind, SchemaTable } from '../../machinery/schema/schema.ts';
import { structureOfMessage } from '../../machinery/structure/structure-of-message.ts';
import type { AdmissionRequest, AdmissionVersion } from '../admission/admission-chain.ts';
import { decodePatched } from './codec.ts';
import type { Registry, RequestContext } from './request-context.ts';
import type { ServedVersion } from './served-resource.ts';

/** A body of another kind than the resource: `Eviction`, `Scale`, `PodExecOptions`. */
export interface AdmissionBody {
  readonly kind: GroupVersionKind;
  /** Its key in the schema table. */
  readonly schema: string;
  /** Fills defaults of the body. */
  defaults?(body: DeepMutable<KubeObject>): void;
}

/** What of an admission request differs from write to write. */
export interface AdmissionSubject {
  readonly operation: AdmissionRequest['operation'];
  readonly name: string;
  readonly dryRun: boolean;
  readonly object?: DeepMutable<KubeObject>;
  readonly oldObject?: KubeObject;
  /** For what is not of the resource's own kind. */
  readonly body?: AdmissionBody;
  /** The fields of a deletion's options; other writes have theirs in the request's parameters. */
  readonly deletion?: Readonly<Record<string, unknown>>;
}

/** What admission is told of a write in the version that the client asked for. */
export function admissionRequest(
  registry: Pick<Registry, 'schema'>,
  served: ServedVersion,
  context: RequestContext,
  subject: AdmissionSubject,
): AdmissionRequest {
  const { operation, name, dryRun, object, oldObject } = subject;
  const { group, version, resource } = served.type;
  const versions = equivalents(registry.schema, served, subject.body);
  const options = optionsOf(context, subject);
  return {
    operation,
    name,
    dryRun,
    ...(object && { object }),
    ...(oldObject && { oldObject }),
    user: context.user,
    group,
    version,
    resource,
    kind: versions[0].kind,
    versions,
    subresource: context.request.subresource ?? '',
    namespace: context.request.namespace ?? '',
    ...(options && { options }),
    warn: (message) => context.warn(message),
    annotate: (key, value) => context.annotate?.(key, value),
  };
}

function optionsOf(
  { request }: RequestContext,
  { operation, deletion }: AdmissionSubject,
): Readonly<Record<string, unknown>> | undefined {
  const apiVersion = 'meta.k8s.io/v1';
  if (operation === 'CONNECT') return undefined;
  if (operation === 'DELETE') return { kind: 'DeleteOptions', apiVersion, ...deletion };
  const { dryRun, fieldManager, fieldValidation } = request.params ?? {};
  return {
    kind: operation === 'CREATE' ? 'CreateOptions' : 'UpdateOptions',
    apiVersion,
    ...(dryRun ? { dryRun: [dryRun] } : {}),
    ...(fieldManager ? { fieldManager } : {}),
    ...(fieldValidation ? { fieldValidation } : {}),
  };
}

type Equivalents = [AdmissionVersion, ...AdmissionVersion[]];

/** Of built-in kinds, whose versions never change: by table, definition and version. */
const known = new WeakMap<SchemaTable, WeakMap<object, Map<ServedVersion['version'], Equivalents>>>();

function knownOf(table: SchemaTable, definition: object): Map<ServedVersion['version'], Equivalents> {
  const inTable = known.get(table) ?? new WeakMap<object, Map<ServedVersion['version'], Equivalents>>();
  known.set(table, inTable);
  const ofDefinition = inTable.get(definition) ?? new Map<ServedVersion['version'], Equivalents>();
  inTable.set(definition, ofDefinition);
  return ofDefinition;
}

function equivalents(
  table: SchemaTable,
  served: ServedVersion,
  body: AdmissionBody | undefined,
): Equivalents {
  if (body || served.version.custom) return versionsFor(table, served, body);
  const ofDefinition = knownOf(table, served.resource.definition);
  let versions = ofDefinition.get(served.version);
  if (!versions) ofDefinition.set(served.version, (versions = versionsFor(table, served, body)));
  return versions;
}

function versionsFor(
  table: SchemaTable,
  served: ServedVersion,
  body: AdmissionBody | undefined,
): Equivalents {
  const of = (version: ServedVersion['version']): AdmissionVersion =>
    body ? bodyVersion(table, version, body) : ownVersion(table, version, served.type.version);
  const others = Object.values(served.resource.definition.versions).filter(
    (version) => version !== served.version,
  );
  return [of(served.version), ...others.map(of)];
}

function ownVersion(
  table: SchemaTable,
  version: ServedVersion['version'],
  requested: string,
): AdmissionVersion {
  const { group, version: name, resource, kind } = version.type;
  const { custom } = version;
  const schema = { table, message: version.schema, ...(custom && { custom }) };
  return {
    group,
    version: name,
    resource,
    kind: { group, version: name, kind },
    schema: version.schema,
    structure: () => custom?.structure ?? structureOfMessage(table, version.schema),
    document(object) {
      if (custom) return customDocument(custom, version.type, object);
      const shown = version.fromStorage ? version.fromStorage(mutableCopy(object)) : object;
      return parsed({ ...shown, kind, apiVersion: apiVersionOf(version.type) }, schema);
    },
    object(document) {
      const decoded = decodePatched(document, { ...schema, group, version: name, kind }).object;
      const object = decoded as DeepMutable<KubeObject>;
      version.defaults?.(object);
      if (custom && name !== requested) return customObject(custom, object, requested);
      return version.toStorage?.(object) ?? object;
    },
  };
}

/** Custom resources are in the version of the request, or in the stored one, until they are converted. */
async function customDocument(
  custom: CustomForm,
  type: ResourceType<KubeObject>,
  object: KubeObject,
): Promise<Readonly<Record<string, unknown>>> {
  const same = object.apiVersion === apiVersionOf(type);
  const shown = same ? object : await custom.convert(object, type.version);
  return { ...mutableCopy<KubeObject>(shown) };
}

async function customObject(
  custom: CustomForm,
  object: KubeObject,
  version: string,
): Promise<DeepMutable<KubeObject>> {
  return mutableCopy<KubeObject>(await custom.convert(object, version));
}

function bodyVersion(
  table: SchemaTable,
  { type }: ServedVersion['version'],
  body: AdmissionBody,
): AdmissionVersion {
  const { kind, schema: message } = body;
  const schema = { table, message };
  return {
    group: type.group,
    version: type.version,
    resource: type.resource,
    kind,
    schema: message,
    structure: () => structureOfMessage(table, message),
    document: (object) => parsed({ ...object, kind: kind.kind, apiVersion: apiVersionOf(kind) }, schema),
    object(document) {
      const object = decodePatched(document, { ...schema, ...kind }).object as DeepMutable<KubeObject>;
      body.defaults?.(object);
      return object;
    },
  };
}

function parsed(
  object: object,
  schema: { readonly table: SchemaTable; readonly message: string },
): Readonly<Record<string, unknown>> {
  return parseJson(Buffer.from(encodeObject(object, schema))).value as Record<string, unknown>;
}
