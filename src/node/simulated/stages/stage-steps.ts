import type { PatchType } from '../../../machinery/transport.ts';
import type { Stage, StageApply, StageFinalizers, StagePatch, StageStep } from '../kwok/stage.ts';

/** One change that a stage makes, in the order in which it makes them. */
export type StageAction =
  | { readonly type: 'event'; readonly event: NonNullable<StageStep['event']> }
  | { readonly type: 'finalizers'; readonly finalizers: StageFinalizers }
  | { readonly type: 'delete' }
  | {
      readonly type: 'patch';
      readonly patchType: PatchType;
      readonly subresource: string | undefined;
      readonly root: string | undefined;
      readonly template: string;
    }
  | {
      readonly type: 'apply';
      readonly patchType: PatchType;
      readonly subresource: string | undefined;
      readonly template: string;
    };

const patchTypes: Readonly<Record<NonNullable<StageApply['type']>, PatchType>> = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
};

/** What a stage does: event, finalizers, deletion or else patches, then its `steps`. Nothing follows a deletion but events. */
export function stageActions({ spec }: Stage): readonly StageAction[] {
  const { next = {}, resourceRef } = spec;
  const merge = isCoreKind(resourceRef) ? patchTypes.strategic : patchTypes.merge;
  const patches: readonly StagePatch[] = [
    ...(next.statusTemplate !== undefined && next.statusTemplate !== ''
      ? [{ subresource: next.statusSubresource ?? 'status', root: 'status', template: next.statusTemplate }]
      : []),
    ...(next.patches ?? []),
  ];
  const steps: readonly StageStep[] = [
    next,
    ...patches.map((patch) => ({ patch })),
    ...(next.steps ?? []),
    ...(spec.steps ?? []),
  ];
  const actions: StageAction[] = [];
  let deleted = false;
  for (const step of steps) {
    if (step.event) actions.push({ type: 'event', event: step.event });
    if (deleted) continue;
    if (step.finalizers) actions.push({ type: 'finalizers', finalizers: step.finalizers });
    if (step.delete) {
      deleted = true;
      actions.push({ type: 'delete' });
    } else {
      if (step.patch) actions.push(patchAction(step.patch, merge));
      if (step.apply) actions.push(applyAction(step.apply));
    }
  }
  return actions;
}

/** Strategic merge patches work on built-in kinds; KWOK takes them for pods and nodes unless the stage says otherwise. */
function isCoreKind({ apiGroup = 'v1', kind }: Stage['spec']['resourceRef']): boolean {
  return apiGroup === 'v1' && (kind === 'Pod' || kind === 'Node');
}

function patchAction({ type, subresource, root, template = '' }: StagePatch, merge: PatchType): StageAction {
  return {
    type: 'patch',
    patchType: type ? patchTypes[type] : merge,
    subresource: subresource === '' ? undefined : subresource,
    root: root === '' ? undefined : root,
    template,
  };
}

function applyAction({ type = 'merge', subresource, template = '' }: StageApply): StageAction {
  return {
    type: 'apply',
    patchType: patchTypes[type],
    subresource: subresource === '' ? undefined : subresource,
    template,
  };
}

/** The rendered template as the body of the patch: put under its root, or, for a JSON patch, each path below it. */
export function patchBody(action: StageAction & { type: 'patch' }, rendered: unknown): unknown {
  const { root, patchType } = action;
  if (root === undefined) return rendered;
  if (patchType !== patchTypes.json) return { [root]: rendered };
  return (Array.isArray(rendered) ? (rendered as unknown[]) : []).map((operation) =>
    typeof operation === 'object' && operation !== null && 'path' in operation
      ? { ...operation, path: `/${root}${String(operation.path)}` }
      : operation,
  );
}

/** A JSON patch that changes the finalizers as told; undefined when they are so already. */
export function finalizersPatch(
  current: readonly string[] | undefined,
  { empty = false, remove = [], add = [] }: StageFinalizers,
): unknown[] | undefined {
  const removed = new Set(remove.map(({ value }) => value));
  const kept = empty ? [] : (current ?? []).filter((one) => !removed.has(one));
  const wanted = [...kept];
  for (const { value } of add) if (value !== undefined && !wanted.includes(value)) wanted.push(value);
  const before = current ?? [];
  if (wanted.length === before.length && wanted.every((one, at) => one === before[at])) return undefined;
  if (wanted.length === 0) return [{ op: 'remove', path: '/metadata/finalizers' }];
  return [{ op: 'add', path: '/metadata/finalizers', value: wanted }];
}
