import { namespaces, pods, type Namespace, type Pod } from '../../../api/core/v1.gen.ts';
import type { KubeObject, Live } from '../../../machinery/object.ts';
import { aggregate, newInternalError, newInvalid } from '../../../machinery/status/errors.ts';
import type { StatusError } from '../../../machinery/status-error.ts';
import type { AdmissionPlugin, AdmissionRequest } from '../admission-chain.ts';
import type { Lookup } from '../lookup.ts';
import { newRefusal } from '../refuse.ts';
import type { CheckedPod } from './check.ts';
import { createEvaluator, printDetails, printReasons } from './evaluate.ts';
import { checkedPod, makesPods, templateOf } from './pod-template.ts';
import { isStricter, policyOf, printLevel, type LevelVersion, type Policy } from './policy.ts';
import { isSignificantUpdate } from './significant-update.ts';

/** Subresources of pods that do not change what a pod may do. */
const ignoredSubresources = new Set([
  'exec',
  'attach',
  'binding',
  'eviction',
  'log',
  'portforward',
  'proxy',
  'status',
]);
/** A namespace's new level is tried on this many of its pods. */
const mostPods = 3000;

/** Hears what a level says of a pod. Must not throw. */
export type SecurityObserver = (evaluation: {
  readonly decision: 'allow' | 'deny';
  readonly level: LevelVersion;
  readonly mode: 'enforce' | 'audit' | 'warn';
  readonly request: AdmissionRequest;
}) => void;

function isSame(a: LevelVersion, b: LevelVersion): boolean {
  return a.level === b.level && a.minor === b.minor;
}

function isPrivileged({ level }: LevelVersion): boolean {
  return level === 'privileged';
}

/**
 * Holds pods to the level of the Pod Security Standards that their namespace's labels state, and warns of pods and templates
 * that do not meet the level to warn of (upstream's PodSecurity, all defaults `privileged`).
 */
export function podSecurity(lookup: Lookup, observe?: SecurityObserver): AdmissionPlugin {
  let evaluator: ReturnType<typeof createEvaluator> | undefined;
  const evaluate: ReturnType<typeof createEvaluator> = (pod, level) =>
    (evaluator ??= createEvaluator())(pod, level);

  function statedPolicy(request: AdmissionRequest): ReturnType<typeof policyOf> {
    const namespace = lookup.get<Namespace>(namespaces, '', request.namespace);
    if (!namespace) throw newInternalError(`failed to lookup namespace "${request.namespace}"`);
    return policyOf(namespace.metadata.labels);
  }

  /** What to refuse a pod with, if it is to be refused. */
  function enforce(request: AdmissionRequest, pod: CheckedPod, policy: Policy): StatusError | undefined {
    request.annotate('pod-security.kubernetes.io/enforce-policy', printLevel(policy.enforce));
    const violations = evaluate(pod, policy.enforce);
    const decision = violations.length === 0 ? 'allow' : 'deny';
    observe?.({ decision, level: policy.enforce, mode: 'enforce', request });
    if (decision === 'allow') return undefined;
    const level = JSON.stringify(printLevel(policy.enforce));
    return newRefusal(request, `violates PodSecurity ${level}: ${printDetails(violations)}`);
  }

  /** Nobody is warned of what is refused. */
  function report(
    request: AdmissionRequest,
    pod: CheckedPod,
    { policy, refused }: { readonly policy: Policy; readonly refused: boolean },
  ): void {
    const said = (level: LevelVersion): string | undefined => {
      const violations = evaluate(pod, level);
      if (violations.length === 0) return undefined;
      return `would violate PodSecurity ${JSON.stringify(printLevel(level))}: ${printDetails(violations)}`;
    };
    const audit = said(policy.audit);
    if (audit !== undefined) {
      request.annotate('pod-security.kubernetes.io/audit-violations', audit);
      observe?.({ decision: 'deny', level: policy.audit, mode: 'audit', request });
    }
    if (refused) return;
    const warning = isSame(policy.warn, policy.audit) ? audit : said(policy.warn);
    if (warning === undefined) return;
    request.warn(warning);
    observe?.({ decision: 'deny', level: policy.warn, mode: 'warn', request });
  }

  function checkPod(request: AdmissionRequest): void {
    if (ignoredSubresources.has(request.subresource)) return;
    const { policy, errors } = statedPolicy(request);
    const { enforce: enforced, audit, warn } = policy;
    if (errors.length === 0 && [enforced, audit, warn].every(isPrivileged)) {
      request.annotate('pod-security.kubernetes.io/enforce-policy', 'privileged:latest');
      observe?.({ decision: 'allow', level: enforced, mode: 'enforce', request });
      return;
    }
    if (errors.length > 0) {
      const wrong = aggregate(errors.map(({ field, message }) => `${field}: ${message}`));
      request.annotate('pod-security.kubernetes.io/error', `Failed to parse policy: ${wrong}`);
    }
    const pod = checkedPod(request.object as KubeObject);
    if (request.operation === 'UPDATE' && request.oldObject) {
      if (!isSignificantUpdate(pod, checkedPod(request.oldObject))) return;
    }
    const refusal = enforce(request, pod, policy);
    report(request, pod, { policy, refused: refusal !== undefined });
    if (refusal) throw refusal;
  }

  function checkTemplate(request: AdmissionRequest, groupResource: string): void {
    if (request.subresource !== '') return;
    const { policy, errors } = statedPolicy(request);
    if (errors.length === 0 && isPrivileged(policy.audit) && isPrivileged(policy.warn)) return;
    const pod = templateOf(groupResource, request.object as KubeObject);
    if (pod) report(request, pod, { policy, refused: false });
  }

  function checkNamespace(request: AdmissionRequest): void {
    if (request.subresource !== '') return;
    const { metadata } = request.object as KubeObject;
    const next = policyOf(metadata.labels);
    const old = request.operation === 'UPDATE' ? policyOf(request.oldObject?.metadata.labels) : undefined;
    const messages = (errors: typeof next.errors): string =>
      errors.map(({ field, message }) => `${field}: ${message}`).join();
    if (next.errors.length > 0 && (!old || messages(next.errors) !== messages(old.errors))) {
      const { group, kind } = request.kind;
      throw newInvalid({ group, kind }, metadata.name ?? '', next.errors);
    }
    if (!old) return;
    const wanted = next.policy.enforce;
    const before = old.policy.enforce;
    if (isSame(wanted, before) || isPrivileged(wanted)) return;
    if (wanted.minor === before.minor && !isStricter(wanted.level, before.level)) return;
    for (const warning of existingPods(metadata.name ?? '', wanted)) request.warn(warning);
  }

  /** What is wrong with the pods that are there already. */
  function existingPods(namespace: string, level: LevelVersion): string[] {
    const all = [...lookup.list<Pod>(pods, namespace)];
    const checked = all.slice(0, mostPods);
    const found = new Map<string, Live<Pod>[]>();
    for (const pod of checked) {
      const violations = evaluate(checkedPod(pod), level);
      if (violations.length === 0) continue;
      const reasons = printReasons(violations);
      found.set(reasons, [...(found.get(reasons) ?? []), pod]);
    }
    const warnings = [...found].map(([reasons, violating]) => {
      const [first = ''] = violating.map(({ metadata }) => metadata.name).sort();
      const others = violating.length - 1;
      const more = others === 0 ? '' : ` (and ${others} other ${others === 1 ? 'pod' : 'pods'})`;
      return `${first}${more}: ${reasons}`;
    });
    const printed = JSON.stringify(printLevel(level));
    return [
      ...(checked.length < all.length
        ? [
            `new PodSecurity enforce level only checked against the first ${checked.length} of ${all.length} existing pods`,
          ]
        : []),
      ...(warnings.length > 0
        ? [
            `existing pods in namespace ${JSON.stringify(namespace)} violate the new PodSecurity enforce level ${printed}`,
          ]
        : []),
      ...warnings.sort(),
    ];
  }

  return {
    name: 'PodSecurity',
    validate(request) {
      if (!request.object || (request.operation !== 'CREATE' && request.operation !== 'UPDATE')) return;
      const { group, resource } = request;
      const groupResource = group === '' ? resource : `${resource}.${group}`;
      if (groupResource === 'pods') checkPod(request);
      else if (groupResource === 'namespaces') checkNamespace(request);
      else if (makesPods(groupResource)) checkTemplate(request, groupResource);
    },
  };
}
