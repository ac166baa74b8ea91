import { type FieldError, invalid, notSupported } from '../../machinery/field-error.ts';
import { mutableCopy } from '../../machinery/mutable-copy.ts';
import type { DeepMutable } from '../../machinery/object.ts';
import { validateLabelSelector } from '../../machinery/selectors/label-selector.ts';
import { nameRule, pathSegmentNameErrors } from '../../machinery/validation/names.ts';
import { validateAtMostAll, validateCount } from '../apps/count-or-percent.ts';
import { ageColumn, nameColumn } from '../columns.ts';
import { nonNegative } from '../core/pod-spec/invalid-each.ts';
import { type ResourceDefinition, defineResource } from '../resource.ts';
import { validateConditions } from '../validation/conditions.ts';
import { type PodDisruptionBudget, poddisruptionbudgets as podDisruptionBudgetType } from './v1.gen.ts';

const noStatus = { disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 0, expectedPods: 0 };

function defaultBudget(budget: DeepMutable<PodDisruptionBudget>): void {
  budget.spec ??= {};
  budget.status = { ...noStatus, ...budget.status };
}

const evictionPolicies = ['AlwaysAllow', 'IfHealthyBudget'];

function validate({ spec }: PodDisruptionBudget): FieldError[] {
  const { minAvailable, maxUnavailable, selector, unhealthyPodEvictionPolicy: policy } = spec;
  const errors: FieldError[] = [];
  if (minAvailable !== undefined && maxUnavailable !== undefined) {
    const shown = {
      MinAvailable: minAvailable,
      Selector: selector ?? null,
      MaxUnavailable: maxUnavailable,
      UnhealthyPodEvictionPolicy: policy ?? null,
    };
    errors.push(invalid('spec', shown, 'minAvailable and maxUnavailable cannot be both set'));
  }
  for (const name of ['minAvailable', 'maxUnavailable'] as const) {
    const field = `spec.${name}`;
    errors.push(...validateCount(spec[name], field), ...validateAtMostAll(spec[name], field));
  }
  errors.push(...validateLabelSelector(selector, 'spec.selector'));
  if (policy !== undefined && !evictionPolicies.includes(policy)) {
    errors.push(notSupported('spec.unhealthyPodEvictionPolicy', policy, evictionPolicies));
  }
  return errors;
}

const counters = ['disruptionsAllowed', 'currentHealthy', 'desiredHealthy', 'expectedPods'] as const;

/** Budgets of how many pods may be evicted at a time. */
export const podDisruptionBudgets: ResourceDefinition<PodDisruptionBudget> =
  defineResource<PodDisruptionBudget>({
    storage: 'v1',
    versions: {
      v1: {
        type: podDisruptionBudgetType,
        schema: 'io.k8s.api.policy.v1.PodDisruptionBudget',
        defaults: defaultBudget,
      },
    },
    validateName: nameRule(pathSegmentNameErrors),
    unconditionalUpdate: false,
    generation: true,
    prepareForCreate(budget) {
      budget.status = { ...noStatus };
    },
    prepareForUpdate(next, old) {
      next.status = mutableCopy(old.status ?? noStatus);
    },
    validate,
    validateUpdate: (next) => validate(next),
    status: {
      validate: ({ status }) => [
        ...validateConditions(status?.conditions ?? [], 'status.conditions'),
        ...counters.flatMap((name) => nonNegative(`status.${name}`, status?.[name] ?? 0)),
      ],
    },
    columns: [
      nameColumn(),
      {
        name: 'Min Available',
        type: 'string',
        cell: ({ spec }) => String(spec.minAvailable ?? 'N/A'),
      },
      {
        name: 'Max Unavailable',
        type: 'string',
        cell: ({ spec }) => String(spec.maxUnavailable ?? 'N/A'),
      },
      {
        name: 'Allowed Disruptions',
        type: 'integer',
        cell: ({ status }) => status?.disruptionsAllowed ?? 0,
      },
      ageColumn(),
    ],
  });
