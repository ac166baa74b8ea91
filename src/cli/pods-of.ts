import { pods, type Pod } from '../api/core/v1.gen.ts';
import type { KubeObject, Live } from '../machinery/object.ts';
import { isObject, member } from '../machinery/patch/json-value.ts';
import { printSelector, selectorFrom, selectorFromMap } from '../machinery/selectors/label-selector.ts';
import { CliError } from './cli-error.ts';
import { resourceTargets, typeName } from './resource-args.ts';
import type { Session } from './session.ts';

/** What an argument such as `web-1`, `pod/web-1`, `deploy/web` or `svc/web` names, and the pods behind it, best first. */
export interface NamedPods {
  readonly owner: Live<KubeObject>;
  /** Running and ready pods first, then older ones first. Never empty. */
  readonly pods: readonly [Live<Pod>, ...Live<Pod>[]];
}

/** Finds the pods that an argument names. Throws {@link CliError} when there are none, `StatusError` when it does not exist. */
export async function podsOf(session: Session, argument: string): Promise<NamedPods> {
  const { namespace } = session;
  if (!argument.includes('/')) {
    const pod = await session.client.for(pods).get({ namespace, name: argument });
    return { owner: pod, pods: [pod] };
  }
  const [target] = resourceTargets([argument], await session.mapper());
  const [name = ''] = target?.names ?? [];
  if (!target) throw new CliError(`"${argument}" names nothing`);
  const { served } = target;
  if (served.type.kind === 'Pod' && served.type.group === '') return podsOf(session, name);
  const owner = await session.client.for(served.type).get({ namespace, name });
  const labelSelector = podSelector(owner);
  if (labelSelector === undefined)
    throw new CliError(`cannot find pods by ${typeName(served)}/${name}: it selects none`);
  const { items } = await session.client.for(pods).list({ namespace, labelSelector });
  const [best, ...rest] = items.toSorted(
    (a, b) => worth(b) - worth(a) || (a.metadata.creationTimestamp < b.metadata.creationTimestamp ? -1 : 1),
  );
  if (!best)
    throw new CliError(`no pods found for ${typeName(served)}/${name} (selector "${labelSelector}")`);
  return { owner, pods: [best, ...rest] };
}

/** The label selector of a workload or a service, as text. */
function podSelector(owner: KubeObject): string | undefined {
  const spec = member({ ...owner }, 'spec');
  const selector = isObject(spec) ? spec['selector'] : undefined;
  if (!isObject(selector) || Object.keys(selector).length === 0) return undefined;
  const isPlain = Object.values(selector).every((value) => typeof value === 'string');
  return printSelector(
    isPlain ? selectorFromMap(selector as Readonly<Record<string, string>>) : selectorFrom(selector),
  );
}

function worth({ metadata, status }: Live<Pod>): number {
  const ready = status?.conditions?.some((one) => one.type === 'Ready' && one.status === 'True');
  return (
    Number(status?.phase === 'Running') +
    Number(ready === true) -
    2 * Number(metadata.deletionTimestamp !== undefined)
  );
}
