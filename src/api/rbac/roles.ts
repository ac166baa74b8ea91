import { nameRule, pathSegmentNameErrors } from '../../machinery/validation/names.ts';
import { defineResource, type ResourceDefinition } from '../resource.ts';
import { validateRules } from './policy-rules.ts';
import { type Role, roles as roleType } from './v1.gen.ts';

/** Permissions within one namespace. */
export const roles: ResourceDefinition<Role> = defineResource<Role>({
  storage: 'v1',
  versions: { v1: { type: roleType, schema: 'io.k8s.api.rbac.v1.Role' } },
  createOnUpdate: true,
  validateName: nameRule(pathSegmentNameErrors),
  validate: ({ rules }) => validateRules(rules, 'namespaced'),
  validateUpdate: ({ rules }) => validateRules(rules, 'namespaced'),
});
