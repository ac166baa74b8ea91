import type { DeepMutable } from '../../machinery/object.ts';
import { jsonEqual } from '../../machinery/patch/json-value.ts';
import type { PodDisruptionBudget } from '../policy/v1.gen.ts';
import type { Form, LegacyForm } from './legacy-version.ts';

const key = 'pdb.kubernetes.io/deprecated-v1beta1-empty-selector-match';
/** Each version says with this what the other says with an empty selector: nothing, and everything. */
const nothing = { matchExpressions: [{ key, operator: 'Exists' }] };
const everything = { matchExpressions: [{ key, operator: 'DoesNotExist' }] };

function exchange(object: Form, [from, to]: readonly [object, object], empty: object): void {
  const { spec } = object as Form & { spec?: DeepMutable<PodDisruptionBudget>['spec'] };
  if (!spec?.selector) return;
  if (jsonEqual(spec.selector, {})) spec.selector = structuredClone(empty);
  else if (jsonEqual(spec.selector, from)) spec.selector = structuredClone(to);
}

export const disruptionBudgetForms: readonly LegacyForm[] = [
  {
    group: 'policy',
    version: 'v1beta1',
    from: 'io.k8s.api.policy.v1beta1',
    deprecated: 21,
    removed: 25,
    toStored: (object) => exchange(object, [everything, {}], nothing),
    fromStored: (object) => exchange(object, [nothing, {}], everything),
  },
];
