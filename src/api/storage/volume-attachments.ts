import { type FieldError, forbidden, invalid, required, tooLong } from '../../machinery/field-error.ts';
import { mutableCopy } from '../../machinery/mutable-copy.ts';
import type { DeepMutable } from '../../machinery/object.ts';
import { jsonEqual } from '../../machinery/patch/json-value.ts';
import { dns1123SubdomainErrors } from '../../machinery/validation/names.ts';
import { ageColumn, nameColumn } from '../columns.ts';
import { internalCore } from '../core/internal-types.ts';
import { defaultPersistentVolumeSpec } from '../core/persistent-volume-defaults.ts';
import { validatePersistentVolumeSpec } from '../core/persistent-volume-validation.ts';
import { validateDriverName } from '../core/pod-spec/driver-name.ts';
import { invalidEach } from '../core/pod-spec/invalid-each.ts';
import { defineResource, type ResourceDefinition } from '../resource.ts';
import {
  type VolumeAttachment,
  type VolumeAttachmentSource,
  type VolumeError,
  volumeattachments,
} from './v1.gen.ts';

const MAX_METADATA_BYTES = 256 * 1024;
const MAX_MESSAGE = 1024;
const exactlyOne = 'must specify exactly one of inlineVolumeSpec and persistentVolumeName';

/** Wishes that a volume be attached to a node. */
export const volumeAttachments: ResourceDefinition<VolumeAttachment> = defineResource<VolumeAttachment>({
  storage: 'v1',
  versions: {
    v1: { type: volumeattachments, schema: 'io.k8s.api.storage.v1.VolumeAttachment', defaults },
  },
  unconditionalUpdate: false,
  returnsDeleted: true,
  prepareForCreate(attachment) {
    attachment.status = { attached: false };
  },
  prepareForUpdate(next, old) {
    next.status = mutableCopy(old.status ?? { attached: false });
  },
  validate: (attachment) => [
    ...validateAttachment(attachment),
    ...validateDriverName(attachment.spec.attacher, 'spec.attacher').filter(
      ({ reason }) => reason !== 'FieldValueRequired',
    ),
    ...validateVolumeName(attachment.spec.source),
  ],
  validateUpdate,
  status: { resets: ['metadata', 'spec'], validate: validateUpdate },
  columns: [
    nameColumn(),
    { name: 'Attacher', type: 'string', format: 'name', cell: ({ spec }) => spec.attacher },
    { name: 'PV', type: 'string', cell: ({ spec }) => spec.source?.persistentVolumeName ?? '' },
    { name: 'Node', type: 'string', cell: ({ spec }) => spec.nodeName },
    { name: 'Attached', type: 'boolean', cell: ({ status }) => status?.attached ?? false },
    ageColumn(),
  ],
});

function defaults(attachment: DeepMutable<VolumeAttachment>): void {
  const inline = attachment.spec?.source?.inlineVolumeSpec;
  if (inline) defaultPersistentVolumeSpec(inline);
}

function validateUpdate(next: VolumeAttachment, old: VolumeAttachment): FieldError[] {
  const { attacher, source, nodeName } = next.spec;
  const shown = {
    Attacher: attacher,
    Source: {
      PersistentVolumeName: source?.persistentVolumeName ?? null,
      InlineVolumeSpec: source?.inlineVolumeSpec
        ? internalCore('PersistentVolumeSpec', source.inlineVolumeSpec)
        : null,
    },
    NodeName: nodeName,
  };
  return [
    ...validateAttachment(next),
    ...(jsonEqual(next.spec, old.spec) ? [] : [invalid('spec', shown, 'field is immutable')]),
  ];
}

function validateAttachment({ spec, status }: VolumeAttachment): FieldError[] {
  const { attacher, nodeName, source } = spec;
  return [
    ...(attacher === '' ? [required('spec.attacher')] : []),
    ...validateSource(source ?? {}),
    ...invalidEach('spec.nodeName', nodeName, dns1123SubdomainErrors(nodeName)),
    ...validateMetadata(status?.attachmentMetadata ?? {}),
    ...validateVolumeError(status?.attachError, 'status.attachError'),
    ...validateVolumeError(status?.detachError, 'status.detachError'),
  ];
}

function validateSource({ inlineVolumeSpec, persistentVolumeName }: VolumeAttachmentSource): FieldError[] {
  const field = 'spec.source';
  if (inlineVolumeSpec === undefined && persistentVolumeName === undefined) {
    return [required(field, exactlyOne)];
  }
  if (inlineVolumeSpec !== undefined && persistentVolumeName !== undefined) {
    return [forbidden(field, exactlyOne)];
  }
  if (persistentVolumeName === '') {
    return [required(`${field}.persistentVolumeName`, 'must specify non empty persistentVolumeName')];
  }
  return inlineVolumeSpec
    ? validatePersistentVolumeSpec(inlineVolumeSpec, {
        field: `${field}.inlineVolumeSpec`,
        name: '',
        within: 'attachment',
      })
    : [];
}

function validateVolumeName(source: VolumeAttachmentSource | undefined): FieldError[] {
  const name = source?.persistentVolumeName;
  if (!name) return [];
  return invalidEach('spec.source.persistentVolumeName', name, dns1123SubdomainErrors(name));
}

function validateMetadata(metadata: Readonly<Record<string, string>>): FieldError[] {
  const field = 'status.attachmentMetadata';
  const pairs = Object.entries(metadata);
  const errors = pairs
    .filter(([key]) => key === '')
    .map(([key]) => invalid(field, key, 'key must not be empty'));
  const bytes = pairs.reduce((sum, pair) => sum + Buffer.byteLength(pair.join('')), 0);
  return bytes > MAX_METADATA_BYTES ? [...errors, tooLong(field, MAX_METADATA_BYTES)] : errors;
}

function validateVolumeError(error: VolumeError | undefined, field: string): FieldError[] {
  if (!error) return [];
  const { message = '', errorCode } = error;
  const errors = Buffer.byteLength(message) > MAX_MESSAGE ? [tooLong(`${field}.message`, MAX_MESSAGE)] : [];
  if (errorCode !== undefined && errorCode < 0) {
    errors.push(invalid(`${field}.errorCode`, errorCode, 'must be greater than or equal to 0'));
  }
  return errors;
}
