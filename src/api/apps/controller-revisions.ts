import { type FieldError, required } from '../../machinery/field-error.ts';
import { isObject } from '../../machinery/patch/json-value.ts';
import { validateImmutable } from '../../machinery/validation/object-meta.ts';
import { ageColumn, nameColumn } from '../columns.ts';
import { nonNegative } from '../core/pod-spec/invalid-each.ts';
import { type ResourceDefinition, defineResource } from '../resource.ts';
import { type ControllerRevision, controllerrevisions as controllerRevisionType } from './v1.gen.ts';

function validate({ data, revision }: ControllerRevision): FieldError[] {
  const given: unknown = data;
  const errors: FieldError[] = [];
  if (given === undefined || given === null) errors.push(required('data', 'data is mandatory'));
  else if (!isObject(given)) errors.push(required('data', 'data must be a valid JSON object'));
  return [...errors, ...nonNegative('revision', revision)];
}

function controller({ metadata }: ControllerRevision): string {
  const owner = metadata.ownerReferences?.find((reference) => reference.controller);
  if (!owner) return '<none>';
  const [, group] = /^([^/]+)\//.exec(owner.apiVersion) ?? [];
  return `${owner.kind.toLowerCase()}${group === undefined ? '' : `.${group}`}/${owner.name}`;
}

/** Controller revisions: what the template of a stateful set or daemon set was. */
export const controllerRevisions: ResourceDefinition<ControllerRevision> = defineResource<ControllerRevision>(
  {
    storage: 'v1',
    versions: {
      v1: {
        type: controllerRevisionType,
        schema: 'io.k8s.api.apps.v1.ControllerRevision',
        defaults(revision) {
          revision.revision ??= 0;
        },
      },
    },
    validate,
    validateUpdate: (next, old) => [...validate(next), ...validateImmutable(next.data, old.data, 'data')],
    columns: [
      nameColumn(),
      { name: 'Controller', type: 'string', cell: controller },
      { name: 'Revision', type: 'string', cell: ({ revision }) => revision },
      ageColumn(),
    ],
  },
);
