import type { Deployment, ReplicaSet } from '../../api/apps/v1.gen.ts';
import type { PodTemplateSpec } from '../../api/core/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import { sameTemplate, templateHashLabel } from '../pods/template-hash.ts';
import { asRevision, notInherited, revisionOf } from './revision.ts';

/** Asks for an earlier revision by its number, 0 for the last one: what `extensions/v1beta1` had a subresource for. */
const rollbackAnnotation = 'deprecated.deployment.rollback.to';

/** A deployment with the template it had, and what to tell of that. */
export interface Rollback {
  readonly deployment: Live<Deployment>;
  readonly event: { readonly type: 'Normal' | 'Warning'; readonly reason: string; readonly message: string };
}

/** Whether the deployment asks for an earlier revision. */
export function wantsRollback({ metadata }: Deployment): boolean {
  return /^[+-]?\d+$/.test(metadata.annotations?.[rollbackAnnotation] ?? '');
}

/** Takes the template and the annotations of the revision asked for; when there is none, only the question goes away. */
export function planRollback(
  deployment: Live<Deployment>,
  replicaSets: readonly Live<ReplicaSet>[],
): Rollback {
  const { [rollbackAnnotation]: asked = '0', ...annotations } = deployment.metadata.annotations ?? {};
  const answered = { ...deployment, metadata: { ...deployment.metadata, annotations } };
  const warning = (reason: string, message: string): Rollback => ({
    deployment: answered,
    event: { type: 'Warning', reason: `DeploymentRollback${reason}`, message },
  });
  const revision = asRevision(asked) || lastRevision(replicaSets);
  if (revision === 0n) return warning('RevisionNotFound', 'Unable to find last revision.');
  const source = replicaSets.find((replicaSet) => revisionOf(replicaSet) === revision);
  if (!source) return warning('RevisionNotFound', 'Unable to find the revision to rollback to.');
  const { name } = deployment.metadata;
  if (!source.spec.template || sameTemplate(source.spec.template, deployment.spec.template)) {
    const message = `The rollback revision contains the same template as current deployment "${name}"`;
    return warning('TemplateUnchanged', message);
  }
  return {
    deployment: {
      ...answered,
      metadata: { ...answered.metadata, annotations: restored(annotations, source) },
      spec: { ...deployment.spec, template: withoutHash(source.spec.template) },
    },
    event: {
      type: 'Normal',
      reason: 'DeploymentRollback',
      message: `Rolled back deployment "${name}" to revision ${revision}`,
    },
  };
}

/** The second highest revision; 0 when there is none. */
function lastRevision(replicaSets: readonly ReplicaSet[]): bigint {
  return replicaSets.map(revisionOf).sort((a, b) => (a > b ? -1 : 1))[1] ?? 0n;
}

/** The deployment's own annotations, and those that the replica set had from it. */
function restored(
  own: Readonly<Record<string, string>>,
  { metadata }: ReplicaSet,
): Readonly<Record<string, string>> {
  const kept = Object.entries(own).filter(([key]) => notInherited.has(key));
  const earlier = Object.entries(metadata.annotations ?? {}).filter(([key]) => !notInherited.has(key));
  return Object.fromEntries([...kept, ...earlier]);
}

function withoutHash(template: PodTemplateSpec): PodTemplateSpec {
  const { [templateHashLabel]: _, ...labels } = template.metadata?.labels ?? {};
  return { ...template, metadata: { ...template.metadata, labels } };
}
