import { type FieldError, invalid, required } from '../../machinery/field-error.ts';
import { validateLabelSelector } from '../../machinery/selectors/label-selector.ts';
import { nameRule, pathSegmentNameErrors } from '../../machinery/validation/names.ts';
import { defineResource, type ResourceDefinition } from '../resource.ts';
import { validateRules } from './policy-rules.ts';
import { type ClusterRole, clusterroles } from './v1.gen.ts';

/** Permissions on the whole cluster, or, through a role binding, in one namespace. */
export const clusterRoles: ResourceDefinition<ClusterRole> = defineResource<ClusterRole>({
  storage: 'v1',
  versions: { v1: { type: clusterroles, schema: 'io.k8s.api.rbac.v1.ClusterRole' } },
  createOnUpdate: true,
  validateName: nameRule(pathSegmentNameErrors),
  validate,
  validateUpdate: (next) => validate(next),
});

function validate({ rules, aggregationRule }: ClusterRole): FieldError[] {
  const errors = validateRules(rules, 'cluster');
  if (!aggregationRule) return errors;
  const path = 'aggregationRule.clusterRoleSelectors';
  const selectors = aggregationRule.clusterRoleSelectors ?? [];
  if (selectors.length === 0) {
    errors.push(required(path, 'at least one clusterRoleSelector required if aggregationRule is non-nil'));
  }
  return [
    ...errors,
    ...selectors.flatMap((selector, index) => {
      const at = `${path}[${index}]`;
      const wrong = validateLabelSelector(selector, at);
      return wrong.length > 0 ? [...wrong, invalid(at, null, 'invalid label selector.')] : [];
    }),
  ];
}
