import { type AnyResource, storedType } from '../resource.ts';
import { autoscalerForms } from './autoscaler-forms.ts';
import { customResourceDefinitionForms } from './custom-resource-definition-forms.ts';
import { disruptionBudgetForms } from './disruption-budget-forms.ts';
import { type LegacyForm, legacyVersion } from './legacy-version.ts';
import { ingressClassForms, ingressForms, networkPolicyForms } from './networking-forms.ts';
import { webhookForms } from './webhook-forms.ts';
import {
  controllerRevisionForms,
  daemonSetForms,
  deploymentForms,
  replicaSetForms,
  statefulSetForms,
} from './workload-forms.ts';

const rbac: readonly LegacyForm[] = [
  {
    group: 'rbac.authorization.k8s.io',
    version: 'v1beta1',
    from: 'io.k8s.api.rbac.v1beta1',
    deprecated: 17,
    removed: 22,
  },
];

const batch: readonly LegacyForm[] = [
  {
    group: 'batch',
    version: 'v1beta1',
    from: 'io.k8s.api.batch.v1beta1',
    deprecated: 21,
    removed: 25,
    orphans: true,
  },
];

/** The forms of each kind, by its resource and group today. */
const forms: Readonly<Record<string, readonly LegacyForm[]>> = {
  'controllerrevisions.apps': controllerRevisionForms,
  'daemonsets.apps': daemonSetForms,
  'deployments.apps': deploymentForms,
  'replicasets.apps': replicaSetForms,
  'statefulsets.apps': statefulSetForms,
  'horizontalpodautoscalers.autoscaling': autoscalerForms,
  'cronjobs.batch': batch,
  'ingresses.networking.k8s.io': ingressForms,
  'ingressclasses.networking.k8s.io': ingressClassForms,
  'networkpolicies.networking.k8s.io': networkPolicyForms,
  'poddisruptionbudgets.policy': disruptionBudgetForms,
  'clusterroles.rbac.authorization.k8s.io': rbac,
  'clusterrolebindings.rbac.authorization.k8s.io': rbac,
  'roles.rbac.authorization.k8s.io': rbac,
  'rolebindings.rbac.authorization.k8s.io': rbac,
  'validatingwebhookconfigurations.admissionregistration.k8s.io': webhookForms,
  'mutatingwebhookconfigurations.admissionregistration.k8s.io': webhookForms,
  'customresourcedefinitions.apiextensions.k8s.io': customResourceDefinitionForms,
};

/** The definitions, each also served in the versions that Kubernetes has removed. */
export function withLegacyVersions(definitions: readonly AnyResource[]): AnyResource[] {
  return definitions.map((definition) => {
    const { resource, group } = storedType(definition);
    const versions = (forms[`${resource}.${group}`] ?? []).map((form) => [
      `${form.group}/${form.version}`,
      legacyVersion(definition, form),
    ]);
    return { ...definition, versions: { ...definition.versions, ...Object.fromEntries(versions) } };
  });
}
