import type { Deployment, ReplicaSet } from '../../api/apps/v1.gen.ts';
import { printSelector, selectorFrom } from '../../machinery/selectors/label-selector.ts';
import { describeLabels, describeTime } from './describe-metadata.ts';
import { describePodTemplate } from './describe-pod.ts';
import type { TabText } from './tab-text.ts';

const revision = 'deployment.kubernetes.io/revision';

/** A deployment as `kubectl describe` shows it, with the replica sets it owns. */
export function describeDeployment(
  text: TabText,
  deployment: Deployment,
  replicaSets: readonly ReplicaSet[],
): void {
  const { metadata, spec, status } = deployment;
  text.line(0, 'Name:', metadata.name ?? '');
  text.line(0, 'Namespace:', metadata.namespace ?? '');
  text.line(0, 'CreationTimestamp:', describeTime(metadata.creationTimestamp));
  describeLabels(text, deployment);
  text.line(0, 'Selector:', printSelector(selectorFrom(spec?.selector)));
  const { updatedReplicas = 0, replicas = 0, availableReplicas = 0, unavailableReplicas = 0 } = status ?? {};
  text.line(
    0,
    'Replicas:',
    `${spec?.replicas ?? 1} desired | ${updatedReplicas} updated | ${replicas} total | ${availableReplicas} available | ${unavailableReplicas} unavailable`,
  );
  text.line(0, 'StrategyType:', spec?.strategy?.type ?? '');
  text.line(0, 'MinReadySeconds:', String(spec?.minReadySeconds ?? 0));
  const rolling = spec?.strategy?.rollingUpdate;
  if (rolling)
    text.line(
      0,
      'RollingUpdateStrategy:',
      `${rolling.maxUnavailable ?? '25%'} max unavailable, ${rolling.maxSurge ?? '25%'} max surge`,
    );
  if (spec) describePodTemplate(text, spec.template);
  const conditions = status?.conditions ?? [];
  if (conditions.length > 0) {
    text.line(0, 'Conditions:');
    text.line(1, 'Type', 'Status', 'Reason');
    text.line(1, '----', '------', '------');
    for (const { type, status: value, reason } of conditions) text.line(1, type, value, reason ?? '');
  }
  describeReplicaSets(text, deployment, replicaSets);
}

function describeReplicaSets(
  text: TabText,
  { metadata }: Deployment,
  replicaSets: readonly ReplicaSet[],
): void {
  const current = metadata.annotations?.[revision];
  const isNew = (set: ReplicaSet): boolean => set.metadata.annotations?.[revision] === current;
  const listed = (sets: readonly ReplicaSet[]): string =>
    sets.length === 0
      ? '<none>'
      : sets
          .map(
            ({ metadata: { name }, status, spec }) =>
              `${name} (${status?.replicas ?? 0}/${spec?.replicas ?? 1} replicas created)`,
          )
          .join(', ');
  text.line(0, 'OldReplicaSets:', listed(replicaSets.filter((set) => !isNew(set))));
  text.line(0, 'NewReplicaSet:', listed(replicaSets.filter(isNew)));
}
