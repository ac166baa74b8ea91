import { mutableCopy } from '../../machinery/mutable-copy.ts';
import type { DeepMutable, KubeObject, ResourceType } from '../../machinery/object.ts';
import { type ResourceDefinition, defineResource } from '../resource.ts';
import { autoscalerColumns } from './hpa-columns.ts';
import { autoscalerToV1, autoscalerToV2 } from './hpa-conversion.ts';
import { defaultAutoscaler } from './hpa-defaults.ts';
import { validateAutoscaler, validateAutoscalerStatus, validateAutoscalerUpdate } from './hpa-validation.ts';
import {
  type HorizontalPodAutoscaler as AutoscalerV1,
  horizontalpodautoscalers as autoscalerV1Type,
} from './v1.gen.ts';
import { type HorizontalPodAutoscaler, horizontalpodautoscalers as autoscalerType } from './v2.gen.ts';

const noStatus = { desiredReplicas: 0 } as DeepMutable<HorizontalPodAutoscaler>['status'];

function defaultV1(object: DeepMutable<KubeObject>): void {
  const autoscaler = object as DeepMutable<AutoscalerV1>;
  autoscaler.spec ??= {} as typeof autoscaler.spec;
  autoscaler.spec.maxReplicas ??= 0;
  autoscaler.spec.minReplicas ??= 1;
}

/** Autoscalers: served as v1 and v2, stored as v2. */
export const horizontalPodAutoscalers: ResourceDefinition<HorizontalPodAutoscaler> =
  defineResource<HorizontalPodAutoscaler>({
    storage: 'v2',
    versions: {
      v2: {
        type: autoscalerType,
        schema: 'io.k8s.api.autoscaling.v2.HorizontalPodAutoscaler',
        defaults: defaultAutoscaler,
      },
      v1: {
        type: autoscalerV1Type as ResourceType<KubeObject> as ResourceType<HorizontalPodAutoscaler>,
        schema: 'io.k8s.api.autoscaling.v1.HorizontalPodAutoscaler',
        defaults: defaultV1,
        toStorage: (object: DeepMutable<KubeObject>) => autoscalerToV2(object as DeepMutable<AutoscalerV1>),
        fromStorage: (object: DeepMutable<KubeObject>) =>
          autoscalerToV1(
            object as DeepMutable<HorizontalPodAutoscaler>,
          ) as DeepMutable<KubeObject> as DeepMutable<HorizontalPodAutoscaler>,
      },
    },
    prepareForCreate(autoscaler) {
      if (noStatus) autoscaler.status = { ...noStatus };
    },
    prepareForUpdate(next, old) {
      const status = mutableCopy(old.status) ?? noStatus;
      if (status) next.status = status;
    },
    validate: validateAutoscaler,
    validateUpdate: validateAutoscalerUpdate,
    status: { validate: validateAutoscalerStatus },
    columns: autoscalerColumns,
  });
