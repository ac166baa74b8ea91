import { mutableCopy } from '../../machinery/mutable-copy.ts';
import type { DeepMutable } from '../../machinery/object.ts';
import { ageColumn, nameColumn } from '../columns.ts';
import { type ResourceDefinition, defineResource } from '../resource.ts';
import { validateFlowConditions } from './condition-validation.ts';
import { validatePriorityLevel } from './priority-level-validation.ts';
import {
  type PriorityLevelConfiguration,
  type QueuingConfiguration,
  prioritylevelconfigurations,
} from './v1.gen.ts';

function defaultPriorityLevel(level: DeepMutable<PriorityLevelConfiguration>): void {
  level.spec ??= { type: '' };
  level.status ??= {};
  const { spec } = level;
  if (spec.type === 'Exempt') spec.exempt ??= {};
  if (spec.exempt) {
    spec.exempt.nominalConcurrencyShares ??= 0;
    spec.exempt.lendablePercent ??= 0;
  }
  const { limited } = spec;
  if (!limited) return;
  limited.nominalConcurrencyShares ??= 30;
  limited.lendablePercent ??= 0;
  limited.limitResponse ??= { type: '' };
  const { queuing } = limited.limitResponse;
  if (!queuing) return;
  queuing.handSize ||= 8;
  queuing.queues ||= 64;
  queuing.queueLengthLimit ||= 50;
}

function queuingCell(
  { spec }: PriorityLevelConfiguration,
  field: keyof QueuingConfiguration,
): number | string {
  return spec.limited?.limitResponse?.queuing?.[field] ?? '<none>';
}

/** How much of the server's concurrency some requests share, and what becomes of those beyond it. */
export const priorityLevelConfigurations: ResourceDefinition<PriorityLevelConfiguration> =
  defineResource<PriorityLevelConfiguration>({
    storage: 'v1',
    versions: {
      v1: {
        type: prioritylevelconfigurations,
        schema: 'io.k8s.api.flowcontrol.v1.PriorityLevelConfiguration',
        defaults: defaultPriorityLevel,
      },
    },
    unconditionalUpdate: false,
    generation: true,
    prepareForCreate(level) {
      level.status = {};
    },
    prepareForUpdate(next, old) {
      next.status = mutableCopy(old.status ?? {});
    },
    validate: validatePriorityLevel,
    validateUpdate: validatePriorityLevel,
    status: { validate: ({ status }) => validateFlowConditions(status?.conditions) },
    columns: [
      nameColumn(),
      { name: 'Type', type: 'string', cell: ({ spec }) => spec.type },
      {
        name: 'NominalConcurrencyShares',
        type: 'string',
        cell: ({ spec }) => spec.limited?.nominalConcurrencyShares ?? '<none>',
      },
      { name: 'Queues', type: 'string', cell: (level) => queuingCell(level, 'queues') },
      { name: 'HandSize', type: 'string', cell: (level) => queuingCell(level, 'handSize') },
      { name: 'QueueLengthLimit', type: 'string', cell: (level) => queuingCell(level, 'queueLengthLimit') },
      ageColumn(),
    ],
  });
