import { randomUUID } from 'node:crypto';
import type { DeepMutable } from '../../machinery/object.ts';
import { nameColumn } from '../columns.ts';
import { type ResourceDefinition, defineResource } from '../resource.ts';
import { validateLimitRange } from './limit-range-validation.ts';
import { roundResources } from './pod-spec/resource-rounding.ts';
import { type LimitRange, limitranges } from './v1.gen.ts';

function defaultLimitRange({ spec }: DeepMutable<LimitRange>): void {
  for (const item of spec?.limits ?? []) {
    if (item.type === 'Container') {
      const limits: Record<string, string> = { ...item.max, ...item.default };
      const requests: Record<string, string> = { ...item.min, ...limits, ...item.defaultRequest };
      if (Object.keys(limits).length > 0) item.default = limits;
      if (Object.keys(requests).length > 0) item.defaultRequest = requests;
    }
    for (const list of [item.max, item.min, item.default, item.defaultRequest, item.maxLimitRequestRatio])
      roundResources(list);
  }
}

/** What pods, containers and claims of a namespace may ask for, and what containers get that ask for nothing. */
export const limitRanges: ResourceDefinition<LimitRange> = defineResource<LimitRange>({
  storage: 'v1',
  versions: {
    v1: { type: limitranges, schema: 'io.k8s.api.core.v1.LimitRange', defaults: defaultLimitRange },
  },
  createOnUpdate: true,
  prepareForCreate(range) {
    range.metadata.name ||= randomUUID();
  },
  validate: validateLimitRange,
  validateUpdate: (next) => validateLimitRange(next),
  columns: [
    nameColumn(),
    {
      name: 'Created At',
      type: 'date',
      cell: ({ metadata }) => metadata.creationTimestamp ?? '<unknown>',
    },
  ],
});
