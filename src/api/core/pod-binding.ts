import { timestamp } from '../../base/clock.ts';
import { type FieldError, notSupported, required } from '../../machinery/field-error.ts';
import type { DeepMutable, KubeObject } from '../../machinery/object.ts';
import { aggregate, newConflict, newUnknownError } from '../../machinery/status/errors.ts';
import type { StrategyContext } from '../resource.ts';
import type { Binding, Pod, PodCondition } from './v1.gen.ts';

function validateBinding({ target }: Binding): FieldError[] {
  const errors: FieldError[] = [];
  const { kind, name } = target ?? {};
  if (kind && kind !== 'Node') errors.push(notSupported('target.kind', kind, ['Node', '<empty>']));
  if (!name) errors.push(required('target.name'));
  return errors;
}

function refusal(pod: Pod): string | undefined {
  const { name } = pod.metadata;
  if (pod.metadata.deletionTimestamp) return `pod ${name} is being deleted, cannot be assigned to a host`;
  if (pod.spec.nodeName) return `pod ${name} is already assigned to node "${pod.spec.nodeName}"`;
  if (pod.spec.schedulingGates?.length) return `pod ${name} has non-empty .spec.schedulingGates`;
  return undefined;
}

/** Sets a condition of a pod: replaces one of its type, keeping the time of its last change when the status is the same. */
function setPodCondition(pod: DeepMutable<Pod>, condition: PodCondition): void {
  const status = (pod.status ??= {});
  const before = status.conditions?.find(({ type }) => type === condition.type);
  const same = before?.status === condition.status && before.lastTransitionTime;
  const next = same ? { ...condition, lastTransitionTime: same } : { ...condition };
  status.conditions = before
    ? (status.conditions ?? []).map((one) => (one === before ? next : one))
    : [...(status.conditions ?? []), next];
}

/** Assigns the pod to the binding's node. Throws Conflict when it has one, is going, or is gated. */
export function bindPod(
  pod: DeepMutable<Pod>,
  body: DeepMutable<KubeObject>,
  context: StrategyContext,
): void {
  const binding = body as DeepMutable<Binding>;
  const name = pod.metadata.name ?? '';
  const errors = validateBinding(binding);
  if (errors.length > 0) {
    throw newUnknownError(aggregate(errors.map(({ field, message }) => `${field}: ${message}`)));
  }
  const { uid, annotations, labels } = binding.metadata;
  if (uid && uid !== pod.metadata.uid) {
    const key = `/registry/pods/${pod.metadata.namespace}/${name}`;
    const detail = `StorageError: invalid object, Code: 4, Key: ${key}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: ${uid}, UID in object meta: ${pod.metadata.uid}`;
    throw newConflict({ group: '', resource: 'pods' }, name, detail);
  }
  const reason = refusal(pod);
  if (reason) throw newConflict({ group: '', resource: 'pods/binding' }, name, reason);
  pod.spec.nodeName = binding.target.name ?? '';
  if (labels) pod.metadata.labels = { ...pod.metadata.labels, ...labels };
  if (annotations) pod.metadata.annotations = { ...pod.metadata.annotations, ...annotations };
  setPodCondition(pod, {
    type: 'PodScheduled',
    status: 'True',
    lastTransitionTime: timestamp(context.now),
  });
}
