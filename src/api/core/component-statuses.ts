import { nameColumn } from '../columns.ts';
import { type ResourceDefinition, defineResource } from '../resource.ts';
import { type ComponentCondition, type ComponentStatus, componentstatuses } from './v1.gen.ts';

/** A part of the control plane, and what is wrong with it. */
export interface ComponentHealth {
  readonly name: string;
  readonly problem?: string;
}

/** Where the parts of the control plane are asked for. */
export interface ComponentOptions {
  /** The parts that there are, at the moment of the call. */
  components?(): readonly ComponentHealth[];
}

/** How the parts of the control plane do; deprecated since 1.19. */
export function componentStatuses(options: ComponentOptions): ResourceDefinition<ComponentStatus> {
  return defineResource<ComponentStatus>({
    storage: 'v1',
    versions: {
      v1: {
        type: componentstatuses,
        schema: 'io.k8s.api.core.v1.ComponentStatus',
        deprecated: 'v1 ComponentStatus is deprecated in v1.19+',
      },
    },
    compute: () => (options.components?.() ?? []).map(statusOf),
    columns: [
      nameColumn(),
      { name: 'Status', type: 'string', cell: printStatus },
      { name: 'Message', type: 'string', cell: (status) => healthOf(status)?.message ?? '' },
      { name: 'Error', type: 'string', cell: (status) => healthOf(status)?.error ?? '' },
    ],
  });
}

function statusOf({ name, problem }: ComponentHealth): ComponentStatus {
  const condition: ComponentCondition =
    problem === undefined
      ? { type: 'Healthy', status: 'True', message: 'ok' }
      : { type: 'Healthy', status: 'False', error: problem };
  return { kind: 'ComponentStatus', apiVersion: 'v1', metadata: { name }, conditions: [condition] };
}

function healthOf({ conditions = [] }: ComponentStatus): ComponentCondition | undefined {
  return conditions.find(({ type }) => type === 'Healthy');
}

function printStatus(status: ComponentStatus): string {
  const health = healthOf(status);
  if (!health) return 'Unknown';
  return health.status === 'True' ? 'Healthy' : 'Unhealthy';
}
