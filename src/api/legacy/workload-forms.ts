import type { DeepMutable } from '../../machinery/object.ts';
import type { DaemonSet, Deployment, ReplicaSet, StatefulSet } from '../apps/v1.gen.ts';
import { templateGenerationKey } from '../apps/template-generation.ts';
import type { PodTemplateSpec } from '../core/v1.gen.ts';
import type { Form, LegacyForm } from './legacy-version.ts';

const unlimited = 2_147_483_647;
const rollbackKey = 'deprecated.deployment.rollback.to';

interface Selecting {
  spec?: {
    selector?: { matchLabels?: Record<string, string> };
    template?: DeepMutable<PodTemplateSpec>;
  };
}

/** Workloads without a selector or labels of their own have those of their pods. */
function selectTemplate(object: Form & Selecting): void {
  const spec = (object.spec ??= {});
  const labels = spec.template?.metadata?.labels;
  if (!labels) return;
  spec.selector ??= { matchLabels: { ...labels } };
  if (Object.keys(object.metadata.labels ?? {}).length === 0) object.metadata.labels = { ...labels };
}

type OldDeployment = DeepMutable<Deployment> & { spec: { rollbackTo?: { revision?: number } } };

function keepRollback(object: Form): void {
  const { spec, metadata } = object as OldDeployment;
  if (!spec.rollbackTo) return;
  metadata.annotations = { ...metadata.annotations, [rollbackKey]: String(spec.rollbackTo.revision ?? 0) };
  delete spec.rollbackTo;
}

function showRollback(object: Form): void {
  const { spec, metadata } = object as OldDeployment;
  const revision = metadata.annotations?.[rollbackKey];
  if (revision === undefined || !metadata.annotations) return;
  spec.rollbackTo = Number(revision) === 0 ? {} : { revision: Number(revision) };
  delete metadata.annotations[rollbackKey];
}

const apps1 = {
  group: 'apps',
  version: 'v1beta1',
  from: 'io.k8s.api.apps.v1beta1',
  deprecated: 8,
  removed: 16,
  orphans: true,
} as const;
const apps2 = {
  group: 'apps',
  version: 'v1beta2',
  from: 'io.k8s.api.apps.v1beta2',
  deprecated: 9,
  removed: 16,
  orphans: true,
} as const;
const extensions = {
  group: 'extensions',
  version: 'v1beta1',
  from: 'io.k8s.api.extensions.v1beta1',
  deprecated: 8,
  removed: 16,
  orphans: true,
} as const;

export const deploymentForms: readonly LegacyForm[] = [
  {
    ...apps1,
    defaults(object) {
      selectTemplate(object as Form & Selecting);
      (object as DeepMutable<Deployment>).spec.revisionHistoryLimit ??= 2;
    },
    toStored: keepRollback,
    fromStored: showRollback,
  },
  apps2,
  {
    ...extensions,
    defaults(object) {
      selectTemplate(object as Form & Selecting);
      const { spec } = object as DeepMutable<Deployment>;
      const strategy = (spec.strategy ??= {});
      strategy.type ||= 'RollingUpdate';
      if (strategy.type === 'RollingUpdate') {
        strategy.rollingUpdate = { maxUnavailable: 1, maxSurge: 1, ...strategy.rollingUpdate };
      }
      spec.progressDeadlineSeconds ??= unlimited;
      spec.revisionHistoryLimit ??= unlimited;
    },
    toStored: keepRollback,
    fromStored: showRollback,
  },
];

type OldDaemonSet = DeepMutable<DaemonSet> & { spec: { templateGeneration?: number } };

export const daemonSetForms: readonly LegacyForm[] = [
  apps2,
  {
    ...extensions,
    defaults(object) {
      selectTemplate(object as Form & Selecting);
      const { spec } = object as OldDaemonSet;
      spec.updateStrategy ??= {};
      spec.updateStrategy.type ||= 'OnDelete';
    },
    toStored(object) {
      const { spec, metadata } = object as OldDaemonSet;
      metadata.annotations = {
        ...metadata.annotations,
        [templateGenerationKey]: String(spec.templateGeneration ?? 0),
      };
      delete spec.templateGeneration;
    },
    fromStored(object) {
      const { spec, metadata } = object as OldDaemonSet;
      const { [templateGenerationKey]: generation, ...others } = metadata.annotations ?? {};
      if (Object.keys(others).length > 0) metadata.annotations = others;
      else delete metadata.annotations;
      if (Number(generation ?? 0) > 0) spec.templateGeneration = Number(generation);
    },
  },
];

export const replicaSetForms: readonly LegacyForm[] = [
  apps2,
  {
    ...extensions,
    defaults: (object) => selectTemplate(object as DeepMutable<ReplicaSet> & Form & Selecting),
  },
];

export const statefulSetForms: readonly LegacyForm[] = [
  {
    ...apps1,
    defaults(object) {
      selectTemplate(object as Form & Selecting);
      const { spec } = object as DeepMutable<StatefulSet>;
      spec.updateStrategy ??= {};
      spec.updateStrategy.type ||= 'OnDelete';
    },
  },
  apps2,
];

export const controllerRevisionForms: readonly LegacyForm[] = [apps1, apps2];
