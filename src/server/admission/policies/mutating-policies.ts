import {
  mutatingadmissionpolicies,
  type MutatingAdmissionPolicy,
  mutatingadmissionpolicybindings,
  type MutatingAdmissionPolicyBinding,
} from '../../../api/admissionregistration/v1.gen.ts';
import type { KubeObject, Live } from '../../../machinery/object.ts';
import { jsonEqual } from '../../../machinery/patch/json-value.ts';
import { DecodeError } from '../../../machinery/schema/decode-error.ts';
import { newInternalError } from '../../../machinery/status/errors.ts';
import { StatusError } from '../../../machinery/status-error.ts';
import type {
  AdmissionPass,
  AdmissionPlugin,
  AdmissionRequest,
  AdmissionVersion,
} from '../admission-chain.ts';
import { isExempt } from '../matching/exempt-kinds.ts';
import { replaceObject } from '../matching/replace-object.ts';
import { refusedName } from '../refuse.ts';
import { reviewObjects } from '../webhooks/webhook-matching.ts';
import { boundPolicies, matchedBy, type BoundPolicy } from './bound-policies.ts';
import { expressionBindings } from './expression-bindings.ts';
import { evaluateConditions } from './match-conditions.ts';
import {
  type CompiledMutatingPolicy,
  compileMutatingPolicy,
  mutatedDocument,
  MutationError,
} from './mutate-with-policy.ts';
import { collectParams, PolicyConfigurationError, unknownKind } from './policy-params.ts';
import type { PolicyServerParts } from './validating-policies.ts';

type Policy = MutatingAdmissionPolicy;
type Binding = MutatingAdmissionPolicyBinding;

/** What the first round leaves for the second. */
interface Memory {
  readonly called: Set<string>;
  readonly due: Set<string>;
  output: unknown;
}

/** Lets bound policies change what is written (upstream's MutatingAdmissionPolicy). */
export function mutatingPolicies(parts: PolicyServerParts): AdmissionPlugin {
  const bound = boundPolicies<Policy, Binding>(
    parts.lookup,
    mutatingadmissionpolicies,
    mutatingadmissionpolicybindings,
  );
  const compiled = new WeakMap<object, CompiledMutatingPolicy>();
  const compile = (policy: Live<Policy>): CompiledMutatingPolicy => {
    const known = compiled.get(policy);
    if (known) return known;
    const since = parts.observer?.now() ?? 0;
    const made = compileMutatingPolicy(policy, parts.newPace);
    parts.observer?.compiled(since);
    compiled.set(policy, made);
    return made;
  };
  const plugin: AdmissionPlugin = {
    name: 'MutatingAdmissionPolicy',
    async admit(request, pass) {
      const policies = bound();
      if (policies.length === 0 || isExempt(request)) return;
      const memory = pass.memory<Memory>(plugin, () => ({
        called: new Set(),
        due: new Set(),
        output: undefined,
      }));
      if (pass.round === 1 && !jsonEqual(memory.output, snapshot(request))) requireAgain(memory);
      for (const candidate of policies) await run(parts, request, { candidate, compile, pass, memory });
      memory.output = snapshot(request);
    },
  };
  return plugin;
}

function requireAgain(memory: Memory): void {
  for (const key of memory.called) memory.due.add(key);
  memory.called.clear();
}

function snapshot({ object }: AdmissionRequest): unknown {
  return object && structuredClone<KubeObject>(object);
}

interface Run {
  readonly candidate: BoundPolicy<Policy, Binding>;
  compile(policy: Live<Policy>): CompiledMutatingPolicy;
  readonly pass: AdmissionPass;
  readonly memory: Memory;
}

/** Applies one policy by all its bindings. Throws `StatusError`. */
async function run(parts: PolicyServerParts, request: AdmissionRequest, run: Run): Promise<void> {
  const { candidate, compile, pass, memory } = run;
  const { spec, metadata } = candidate.policy;
  const target = matchedBy(parts.lookup, request, spec.matchConstraints);
  if (!target) return;
  const refuse = (message: string, binding?: string, reason = 'Forbidden'): void => {
    if (spec.failurePolicy !== 'Ignore')
      throw newRefusal(request, { policy: metadata.name, binding, message, reason });
  };
  if (target instanceof StatusError) return refuse(`failed to configure policy: ${target.message}`);
  const store = spec.paramKind && parts.params(spec.paramKind.apiVersion ?? '', spec.paramKind.kind ?? '');
  if (spec.paramKind && !store) {
    return refuse(`failed to configure policy: ${unknownKind(spec.paramKind).message}`);
  }
  for (const binding of candidate.bindings) {
    const { name } = binding.metadata;
    const matched = matchedBy(parts.lookup, request, binding.spec.matchResources);
    if (!matched) continue;
    try {
      if (matched instanceof StatusError) throw new PolicyConfigurationError(matched.message);
      const { paramRef: ref } = binding.spec;
      const params = collectParams(store, { kind: spec.paramKind, ref, namespace: request.namespace });
      for (const [index, param] of params.entries()) {
        const key = `${metadata.name}/${name}/${index}`;
        if (pass.round === 1 && !memory.due.has(key)) continue;
        const policy = compile(candidate.policy);
        const since = parts.observer?.now() ?? 0;
        const changed = await mutate(parts, request, { policy, target, param });
        parts.observer?.evaluated(since);
        if (changed) {
          requireAgain(memory);
          pass.reinvoke();
        }
        if (spec.reinvocationPolicy === 'IfNeeded') memory.called.add(key);
      }
    } catch (error) {
      if (error instanceof MutationError) refuse(error.message, name, 'Invalid');
      else if (error instanceof PolicyConfigurationError)
        refuse(`failed to configure binding: ${error.message}`, name);
      else throw error;
    }
  }
}

interface Mutating {
  readonly policy: CompiledMutatingPolicy;
  readonly target: AdmissionVersion;
  readonly param: unknown;
}

/** Whether the policy changed the object. Throws {@link MutationError}. */
async function mutate(
  parts: PolicyServerParts,
  request: AdmissionRequest,
  { policy, target, param }: Mutating,
): Promise<boolean> {
  const { object } = request;
  let objects = await reviewObjects(request, target);
  const bindings = expressionBindings(parts, { request, target, objects, params: param });
  const conditions = await evaluateConditions(policy.conditions, bindings);
  if ('error' in conditions) throw new MutationError(conditions.error);
  if (!conditions.matches || !object) return false;
  const before = objects.object;
  for (const mutation of policy.mutations) {
    if (!objects.object) return false;
    const next = await mutatedDocument(policy, mutation, {
      document: objects.object,
      structure: target.structure(),
      bindings: expressionBindings(parts, { request, target, objects, params: param }),
    });
    replaceObject(object, await decoded(target, next));
    objects = await reviewObjects(request, target);
  }
  return !jsonEqual(before, objects.object);
}

async function decoded(
  target: AdmissionVersion,
  document: unknown,
): Promise<Awaited<ReturnType<AdmissionVersion['object']>>> {
  try {
    return await target.object(document);
  } catch (error) {
    if (error instanceof DecodeError) throw newInternalError(error.message);
    throw error;
  }
}

interface Refused {
  readonly policy: string;
  readonly binding: string | undefined;
  readonly message: string;
  readonly reason: string;
}

function newRefusal(request: AdmissionRequest, { policy, binding, message, reason }: Refused): StatusError {
  const whose = binding === undefined ? '' : ` with binding '${binding}'`;
  const text = `policy '${policy}'${whose} denied request: ${message}`;
  const { group, resource } = request;
  return new StatusError({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: text,
    reason,
    details: {
      name: refusedName(request),
      ...(group === '' ? {} : { group }),
      kind: resource,
      causes: [{ message: text }],
    },
    code: 403,
  });
}
