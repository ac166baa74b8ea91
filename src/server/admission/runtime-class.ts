import { pods, type Pod, type Toleration } from '../../api/core/v1.gen.ts';
import { compareQuantities } from '../../api/core/pod-spec/quantities.ts';
import { runtimeclasses, type RuntimeClass } from '../../api/node/v1.gen.ts';
import { mutableCopy } from '../../machinery/mutable-copy.ts';
import type { DeepMutable, KubeObject } from '../../machinery/object.ts';
import { jsonEqual } from '../../machinery/patch/json-value.ts';
import type { AdmissionPlugin, AdmissionRequest } from './admission-chain.ts';
import { isCreationOf } from './default-class.ts';
import type { Lookup } from './lookup.ts';
import { newRefusal } from './refuse.ts';

type Amounts = Readonly<Record<string, string>>;

const mismatch = "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead";

/** A pod takes over its runtime class's overhead, node selector and tolerations (upstream's RuntimeClass). */
export function runtimeClass(lookup: Lookup): AdmissionPlugin {
  return {
    name: 'RuntimeClass',
    admit(request) {
      if (!isCreationOf(pods, request)) return;
      const chosen = classOf(lookup, request);
      if (!chosen) return;
      const { spec } = request.object as DeepMutable<Pod>;
      const overhead = chosen.overhead?.podFixed;
      if (overhead) {
        if (!isEmpty(spec.overhead) && !sameAmounts(spec.overhead ?? {}, overhead)) {
          throw newRefusal(request, mismatch);
        }
        spec.overhead = { ...overhead };
      }
      if (chosen.scheduling) schedule(request, chosen.scheduling);
    },
    validate(request) {
      if (!isCreationOf(pods, request)) return;
      const overhead = classOf(lookup, request)?.overhead;
      const own = (request.object as KubeObject as Pod).spec.overhead;
      if (overhead && !sameAmounts(own ?? {}, overhead.podFixed ?? {})) throw newRefusal(request, mismatch);
      if (!overhead && !isEmpty(own)) {
        throw newRefusal(
          request,
          'pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead',
        );
      }
    },
  };
}

function classOf(lookup: Lookup, request: AdmissionRequest): RuntimeClass | undefined {
  const name = (request.object as KubeObject as Pod).spec.runtimeClassName;
  if (name === undefined) return undefined;
  const found = lookup.get(runtimeclasses, '', name);
  if (!found) throw newRefusal(request, `pod rejected: RuntimeClass "${name}" not found`);
  return found;
}

function isEmpty(amounts: Amounts | undefined): boolean {
  return Object.keys(amounts ?? {}).length === 0;
}

function sameAmounts(a: Amounts, b: Amounts): boolean {
  const names = Object.keys(a);
  return (
    names.length === Object.keys(b).length &&
    names.every((name) => {
      const [left, right] = [a[name], b[name]];
      return left !== undefined && right !== undefined && compareQuantities(left, right) === 0;
    })
  );
}

function schedule(request: AdmissionRequest, scheduling: NonNullable<RuntimeClass['scheduling']>): void {
  const { spec } = request.object as DeepMutable<Pod>;
  const wanted = Object.entries(scheduling.nodeSelector ?? {});
  for (const [label, value] of wanted) {
    const own = spec.nodeSelector?.[label];
    if (own === undefined || own === value) continue;
    throw newRefusal(
      request,
      `conflict: runtimeClass.scheduling.nodeSelector[${label}] = ${value}; pod.spec.nodeSelector[${label}] = ${own}`,
    );
  }
  if (wanted.length > 0) spec.nodeSelector = { ...spec.nodeSelector, ...scheduling.nodeSelector };
  const tolerations = scheduling.tolerations ?? [];
  if (tolerations.length > 0) {
    spec.tolerations = mutableCopy(merged(spec.tolerations ?? [], tolerations));
  }
}

/** Both lists without what another toleration of them covers. */
function merged(first: readonly Toleration[], second: readonly Toleration[]): readonly Toleration[] {
  const all = [...first, ...second];
  const kept: Toleration[] = [];
  for (const [index, toleration] of all.entries()) {
    const coveredLater = all
      .slice(index + 1)
      .some((other) => covers(other, toleration) && !jsonEqual(other, toleration));
    if (!coveredLater && !kept.some((other) => covers(other, toleration))) kept.push(toleration);
  }
  return kept;
}

function covers(wide: Toleration, narrow: Toleration): boolean {
  if (jsonEqual(wide, narrow)) return true;
  if (wide.key !== narrow.key && !(!wide.key && wide.operator === 'Exists')) return false;
  if (wide.effect && wide.effect !== narrow.effect) return false;
  if (wide.effect === 'NoExecute' && wide.tolerationSeconds !== undefined) {
    if (narrow.tolerationSeconds === undefined) return false;
    if (narrow.tolerationSeconds > wide.tolerationSeconds) return false;
  }
  if (wide.operator === 'Exists') return true;
  return narrow.operator !== 'Exists' && (wide.value ?? '') === (narrow.value ?? '');
}
