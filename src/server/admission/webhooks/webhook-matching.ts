import type { MutatingWebhook, ValidatingWebhook } from '../../../api/admissionregistration/v1.gen.ts';
import { newForbidden } from '../../../machinery/status/errors.ts';
import type { AdmissionRequest, AdmissionVersion } from '../admission-chain.ts';
import { matchedVersion } from '../matching/request-rules.ts';
import { namespaceSelected, objectSelected } from '../matching/request-selectors.ts';
import { expressionBindings, type BindingParts } from '../policies/expression-bindings.ts';
import { evaluateConditions, type conditionCompiler } from '../policies/match-conditions.ts';
import type { ReviewObjects } from './admission-review.ts';

/** What deciding whether a webhook is called needs of the server. */
export interface MatchParts extends BindingParts {
  compile: ReturnType<typeof conditionCompiler>;
}

/** A webhook's version of the request. */
export interface Matched {
  readonly target: AdmissionVersion;
  readonly objects: ReviewObjects;
}

/** Whether a webhook is to be called, and in which version; undefined when it is not. Throws `StatusError`. */
export async function matchWebhook(
  parts: MatchParts,
  request: AdmissionRequest,
  webhook: ValidatingWebhook | MutatingWebhook,
): Promise<Matched | undefined> {
  const inNamespace = namespaceSelected(webhook.namespaceSelector, request, parts.lookup);
  if (inNamespace === false || !objectSelected(webhook.objectSelector, request)) return undefined;
  const target = matchedVersion(request, webhook.rules ?? [], webhook.matchPolicy);
  if (!target) return undefined;
  if (inNamespace !== true) throw inNamespace;
  const objects = await reviewObjects(request, target);
  const conditions = webhook.matchConditions ?? [];
  if (conditions.length === 0) return { target, objects };
  const bindings = expressionBindings(parts, { request, target, objects });
  const result = await evaluateConditions(parts.compile(conditions, 'none'), bindings);
  if ('error' in result) {
    if (webhook.failurePolicy === 'Ignore') return undefined;
    const { group, resource, name } = request;
    throw newForbidden({ group, resource }, name, result.error);
  }
  return result.matches ? { target, objects } : undefined;
}

/** The request's objects as documents of one version. */
export async function reviewObjects(
  { object, oldObject }: AdmissionRequest,
  target: AdmissionVersion,
): Promise<ReviewObjects> {
  return {
    object: object && (await target.document(object)),
    oldObject: oldObject && (await target.document(oldObject)),
  };
}
