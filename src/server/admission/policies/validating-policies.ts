import {
  validatingadmissionpolicies,
  type ValidatingAdmissionPolicy,
  validatingadmissionpolicybindings,
  type ValidatingAdmissionPolicyBinding,
} from '../../../api/admissionregistration/v1.gen.ts';
import { encodeJson } from '../../../machinery/json/encode.ts';
import type { Live } from '../../../machinery/object.ts';
import { StatusError } from '../../../machinery/status-error.ts';
import type { AdmissionPlugin, AdmissionRequest, AdmissionVersion } from '../admission-chain.ts';
import { isExempt } from '../matching/exempt-kinds.ts';
import { newRefusal } from '../refuse.ts';
import { reviewObjects } from '../webhooks/webhook-matching.ts';
import { boundPolicies, matchedBy, type BoundPolicy } from './bound-policies.ts';
import { expressionBindings, type BindingParts } from './expression-bindings.ts';
import type { NewPace } from './expression-pace.ts';
import { collectParams, type ParamSource, PolicyConfigurationError, unknownKind } from './policy-params.ts';
import type { PolicyObserver } from './policy-observer.ts';
import {
  type CompiledPolicy,
  compileValidatingPolicy,
  type Denial,
  type PolicyVerdict,
  validateWithPolicy,
} from './validate-with-policy.ts';

type Policy = ValidatingAdmissionPolicy;
type Binding = ValidatingAdmissionPolicyBinding;

/** What policies need of the server. */
export interface PolicyServerParts extends BindingParts {
  readonly params: ParamSource;
  readonly observer?: PolicyObserver;
  readonly newPace: NewPace;
}

const failureAnnotation = 'validation.policy.admission.k8s.io/validation_failure';

const codes: Readonly<Record<string, number>> = {
  Unauthorized: 401,
  Forbidden: 403,
  Invalid: 422,
  RequestEntityTooLarge: 413,
};

/** Asks every policy that is bound whether a write is allowed (upstream's ValidatingAdmissionPolicy). */
export function validatingPolicies(parts: PolicyServerParts): AdmissionPlugin {
  const bound = boundPolicies<Policy, Binding>(
    parts.lookup,
    validatingadmissionpolicies,
    validatingadmissionpolicybindings,
  );
  const compiled = new WeakMap<object, CompiledPolicy>();
  const compile = (policy: Live<Policy>): CompiledPolicy => {
    const known = compiled.get(policy);
    if (known) return known;
    const since = parts.observer?.now() ?? 0;
    const made = compileValidatingPolicy(policy, parts.newPace);
    parts.observer?.compiled(since);
    compiled.set(policy, made);
    return made;
  };
  return {
    name: 'ValidatingAdmissionPolicy',
    async validate(request) {
      const policies = bound();
      if (policies.length === 0 || isExempt(request)) return;
      let first: StatusError | undefined;
      for (const candidate of policies) {
        const refused = await judge(parts, request, { candidate, compile });
        first ??= refused;
      }
      if (first) throw first;
    },
  };
}

interface Case {
  readonly candidate: BoundPolicy<Policy, Binding>;
  compile(policy: Live<Policy>): CompiledPolicy;
}

/** The refusal of one policy with all its bindings. */
async function judge(
  parts: PolicyServerParts,
  request: AdmissionRequest,
  { candidate: { policy, bindings }, compile }: Case,
): Promise<StatusError | undefined> {
  const { spec, metadata } = policy;
  const refuse = (message: string, binding?: Live<Binding>): StatusError | undefined =>
    spec.failurePolicy === 'Ignore'
      ? undefined
      : newDenial(request, {
          policy: metadata.name,
          binding: binding?.metadata.name,
          denial: { message, index: 0 },
        });
  const target = matchedBy(parts.lookup, request, spec.matchConstraints);
  if (!target) return undefined;
  if (target instanceof StatusError) return refuse(`failed to configure policy: ${target.message}`);
  const store = spec.paramKind && parts.params(spec.paramKind.apiVersion ?? '', spec.paramKind.kind ?? '');
  if (spec.paramKind && !store)
    return refuse(`failed to configure policy: ${unknownKind(spec.paramKind).message}`);
  let first: StatusError | undefined;
  const annotations = new Map<string, Set<string>>();
  for (const binding of bindings) {
    const matched = matchedBy(parts.lookup, request, binding.spec.matchResources);
    if (!matched) continue;
    try {
      if (matched instanceof StatusError) throw new PolicyConfigurationError(matched.message);
      const { paramRef: ref } = binding.spec;
      const params = collectParams(store, { kind: spec.paramKind, ref, namespace: request.namespace });
      for (const verdict of await evaluateAll(parts, request, {
        policy: compile(policy),
        spec,
        target,
        params,
      })) {
        for (const { key, value } of verdict.annotations) {
          annotations.set(key, (annotations.get(key) ?? new Set()).add(value));
        }
        first ??= report(request, { policy: metadata.name, binding, verdict });
        noteChecks(parts.observer, { policy: metadata.name, binding, verdict });
      }
    } catch (error) {
      if (!(error instanceof PolicyConfigurationError)) throw error;
      first ??= refuse(`failed to configure binding: ${error.message}`, binding);
    }
  }
  for (const [key, values] of annotations)
    request.annotate(`${metadata.name}/${key}`, [...values].join(', '));
  return first;
}

interface Evaluation {
  readonly policy: CompiledPolicy;
  readonly spec: Live<Policy>['spec'];
  readonly target: AdmissionVersion;
  readonly params: readonly unknown[];
}

interface TimedVerdict extends PolicyVerdict {
  readonly ms: number;
}

async function evaluateAll(
  parts: PolicyServerParts,
  request: AdmissionRequest,
  { policy, spec, target, params }: Evaluation,
): Promise<TimedVerdict[]> {
  const objects = params.length > 0 ? await reviewObjects(request, target) : undefined;
  const verdicts: TimedVerdict[] = [];
  for (const param of params) {
    if (!objects) break;
    const bindings = expressionBindings(parts, { request, target, objects, params: param });
    const since = parts.observer?.now() ?? 0;
    const verdict = await validateWithPolicy(policy, spec.failurePolicy, bindings);
    parts.observer?.evaluated(since);
    verdicts.push({ ...verdict, ms: (parts.observer?.now() ?? 0) - since });
  }
  return verdicts;
}

interface Report {
  readonly policy: string;
  readonly binding: Live<Binding>;
  readonly verdict: TimedVerdict;
}

function noteChecks(observer: PolicyObserver | undefined, { policy, binding, verdict }: Report): void {
  const { denials, ignored, ms } = verdict;
  const about = { policy, binding: binding.metadata.name, ms };
  for (const fault of ignored) observer?.checked({ ...about, fault, action: 'allow' });
  for (const { fault = 'no_error' } of denials) {
    for (const action of binding.spec.validationActions ?? [])
      observer?.checked({ ...about, fault, action: actionNames[action] ?? 'audit' });
  }
}

const actionNames: Readonly<Record<string, 'deny' | 'warn' | 'audit'>> = { Deny: 'deny', Warn: 'warn' };

/** Does what the binding's actions say of the denials; the first one that denies. */
function report(request: AdmissionRequest, { policy, binding, verdict }: Report): StatusError | undefined {
  const { name } = binding.metadata;
  const actions: readonly string[] = binding.spec.validationActions ?? [];
  let first: StatusError | undefined;
  for (const denial of verdict.denials) {
    for (const action of actions) {
      if (action === 'Deny') first ??= newDenial(request, { policy, binding: name, denial });
      else if (action === 'Warn') {
        request.warn(
          `Validation failed for ValidatingAdmissionPolicy '${policy}' with binding '${name}': ${denial.message}`,
        );
      } else {
        const { message, index: expressionIndex } = denial;
        const entry = { message, policy, binding: name, expressionIndex, validationActions: actions };
        request.annotate(failureAnnotation, encodeJson([entry]));
      }
    }
  }
  const [failure] = verdict.failures;
  if (failure !== undefined)
    first ??= newDenial(request, { policy, binding: name, denial: { message: failure, index: 0 } });
  return first;
}

interface Denied {
  readonly policy: string;
  readonly binding: string | undefined;
  readonly denial: Denial;
}

function newDenial(request: AdmissionRequest, { policy, binding, denial }: Denied): StatusError {
  const whose = binding === undefined ? '' : ` with binding '${binding}'`;
  const message = `ValidatingAdmissionPolicy '${policy}'${whose} denied request: ${denial.message}`;
  const { status } = newRefusal(request, message);
  const reason = denial.reason ?? 'Invalid';
  return new StatusError({
    ...status,
    reason,
    code: codes[reason] ?? 422,
    details: { ...status.details, causes: [{ message }] },
  });
}
