import type { CustomResourceDefinition, JSONSchemaProps } from '../apiextensions/v1.gen.ts';
import type { KubeObject, ResourceType } from '../../machinery/object.ts';
import { SNAPSHOT_GROUP, volumesnapshotclasses, volumesnapshotcontents, volumesnapshots } from './v1.ts';

const text: JSONSchemaProps = { type: 'string' };
const flag: JSONSchemaProps = { type: 'boolean' };
const whole: JSONSchemaProps = { type: 'integer', format: 'int64' };
const time: JSONSchemaProps = { type: 'string', format: 'date-time' };
const policy: JSONSchemaProps = { type: 'string', enum: ['Delete', 'Retain'] };
const failure = object({ time, message: text });

function object(
  properties: Readonly<Record<string, JSONSchemaProps>>,
  more: Partial<JSONSchemaProps> = {},
): JSONSchemaProps {
  return { type: 'object', properties, ...more };
}

/** A member that stays as it is once it is set. */
function fixed(schema: JSONSchemaProps, name: string): JSONSchemaProps {
  return {
    ...schema,
    'x-kubernetes-validations': [{ rule: 'self == oldSelf', message: `${name} is immutable` }],
  };
}

/** Exactly one of two members, for good. */
function eitherOf(first: string, second: string): JSONSchemaProps {
  const kept = (name: string): { rule: string; message: string } => ({
    rule: `!has(oldSelf.${name}) || has(self.${name})`,
    message: `${name} is required once set`,
  });
  return object(
    { [first]: fixed(text, first), [second]: fixed(text, second) },
    {
      oneOf: [{ required: [first] }, { required: [second] }],
      'x-kubernetes-validations': [kept(first), kept(second)],
    },
  );
}

const snapshotSchema = object(
  {
    spec: object(
      {
        source: eitherOf('persistentVolumeClaimName', 'volumeSnapshotContentName'),
        volumeSnapshotClassName: {
          ...text,
          'x-kubernetes-validations': [
            {
              rule: 'size(self) > 0',
              message: 'volumeSnapshotClassName must not be the empty string when set',
            },
          ],
        },
      },
      { required: ['source'] },
    ),
    status: object({
      boundVolumeSnapshotContentName: text,
      creationTime: time,
      error: failure,
      readyToUse: flag,
      restoreSize: {
        'x-kubernetes-int-or-string': true,
        anyOf: [{ type: 'integer' }, { type: 'string' }],
        pattern: String.raw`^(\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))))?$`,
      },
      volumeGroupSnapshotName: text,
    }),
  },
  { required: ['spec'] },
);

const contentSchema = object(
  {
    spec: object(
      {
        deletionPolicy: policy,
        driver: text,
        source: eitherOf('volumeHandle', 'snapshotHandle'),
        sourceVolumeMode: fixed(text, 'sourceVolumeMode'),
        volumeSnapshotClassName: text,
        volumeSnapshotRef: object({
          apiVersion: text,
          fieldPath: text,
          kind: text,
          name: text,
          namespace: text,
          resourceVersion: text,
          uid: text,
        }),
      },
      { required: ['deletionPolicy', 'driver', 'source', 'volumeSnapshotRef'] },
    ),
    status: object({
      creationTime: whole,
      error: failure,
      readyToUse: flag,
      restoreSize: { ...whole, minimum: 0 },
      snapshotHandle: text,
      volumeGroupSnapshotHandle: text,
    }),
  },
  { required: ['spec'] },
);

const classSchema = object(
  {
    deletionPolicy: policy,
    driver: text,
    parameters: { type: 'object', additionalProperties: text },
  },
  { required: ['deletionPolicy', 'driver'] },
);

type Columns = readonly (readonly [name: string, path: string, type?: string])[];

const snapshotColumns: Columns = [
  ['ReadyToUse', '.status.readyToUse', 'boolean'],
  ['SourcePVC', '.spec.source.persistentVolumeClaimName'],
  ['SourceSnapshotContent', '.spec.source.volumeSnapshotContentName'],
  ['RestoreSize', '.status.restoreSize'],
  ['SnapshotClass', '.spec.volumeSnapshotClassName'],
  ['SnapshotContent', '.status.boundVolumeSnapshotContentName'],
  ['CreationTime', '.status.creationTime', 'date'],
];

const contentColumns: Columns = [
  ['ReadyToUse', '.status.readyToUse', 'boolean'],
  ['RestoreSize', '.status.restoreSize', 'integer'],
  ['DeletionPolicy', '.spec.deletionPolicy'],
  ['Driver', '.spec.driver'],
  ['VolumeSnapshotClass', '.spec.volumeSnapshotClassName'],
  ['VolumeSnapshot', '.spec.volumeSnapshotRef.name'],
  ['VolumeSnapshotNamespace', '.spec.volumeSnapshotRef.namespace'],
];

const classColumns: Columns = [
  ['Driver', '.driver'],
  ['DeletionPolicy', '.deletionPolicy'],
];

/** The definitions of the snapshot API, in v1, for clusters where nobody has installed kubernetes-csi's own. */
export function snapshotDefinitions(): readonly CustomResourceDefinition[] {
  return [
    definition(volumesnapshotclasses, { schema: classSchema, columns: classColumns }),
    definition(volumesnapshotcontents, { schema: contentSchema, columns: contentColumns, status: {} }),
    definition(volumesnapshots, { schema: snapshotSchema, columns: snapshotColumns, status: {} }),
  ];
}

function definition<T extends KubeObject>(
  { resource, kind, singular, shortNames, namespaced }: ResourceType<T>,
  {
    schema,
    columns,
    status,
  }: { readonly schema: JSONSchemaProps; readonly columns: Columns; readonly status?: object },
): CustomResourceDefinition {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: {
      name: `${resource}.${SNAPSHOT_GROUP}`,
      annotations: {
        'api-approved.kubernetes.io': 'https://github.com/kubernetes-csi/external-snapshotter/pull/814',
      },
    },
    spec: {
      group: SNAPSHOT_GROUP,
      names: { kind, listKind: `${kind}List`, plural: resource, singular, shortNames },
      scope: namespaced ? 'Namespaced' : 'Cluster',
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: {
            openAPIV3Schema: {
              ...schema,
              properties: {
                apiVersion: text,
                kind: text,
                metadata: { type: 'object' },
                ...schema.properties,
              },
            },
          },
          ...(status && { subresources: { status } }),
          additionalPrinterColumns: [
            ...columns.map(([name, jsonPath, type = 'string']) => ({ name, jsonPath, type })),
            { name: 'Age', jsonPath: '.metadata.creationTimestamp', type: 'date' },
          ],
        },
      ],
    },
  };
}
