import type { MutatingWebhook, ValidatingWebhook } from '../../../api/admissionregistration/v1.gen.ts';
import { JsonSyntaxError } from '../../../machinery/json/json-error.ts';
import { DecodeError } from '../../../machinery/schema/decode-error.ts';
import { decode } from '../../../machinery/schema/decode.ts';
import type { SchemaTable } from '../../../machinery/schema/schema.ts';
import { newBadRequest, newGenericServerResponse } from '../../../machinery/status/errors.ts';
import { CalloutError } from '../../callout/callout-error.ts';
import type { CalloutAnswer, CalloutClient } from '../../callout/https-callout.ts';
import type { AdmissionRequest, AdmissionVersion } from '../admission-chain.ts';
import {
  InvalidReviewError,
  newReview,
  readVerdict,
  type Review,
  type ReviewObjects,
  type Verdict,
} from './admission-review.ts';
import type { WebhookObserver } from './webhook-observer.ts';
import { newWebhookRejection, WebhookCallError } from './webhook-failure.ts';

/** What calling webhooks needs of the server. */
export interface CallParts {
  readonly client: CalloutClient;
  readonly schema: SchemaTable;
  readonly observer?: WebhookObserver;
}

/** One webhook that is to be called for a request. */
export interface Invocation<W extends ValidatingWebhook | MutatingWebhook> {
  readonly webhook: W;
  /** The version in which its rules match. */
  readonly target: AdmissionVersion;
  readonly objects: ReviewObjects;
  readonly may: 'change' | 'look';
}

const reviewMessage = 'io.k8s.api.admission.v1.AdmissionReview';
const harmless: readonly string[] = ['None', 'NoneOnDryRun'];

/**
 * Asks one webhook; resolves to what it allowed, with its warnings and audit annotations passed on. Throws
 * `WebhookCallError` when it gives no usable answer, the `StatusError` of its refusal otherwise.
 */
export async function callWebhook(
  parts: CallParts,
  request: AdmissionRequest,
  invocation: Invocation<ValidatingWebhook | MutatingWebhook>,
): Promise<Verdict> {
  const { webhook, target, objects, may } = invocation;
  const { name } = webhook;
  if (request.dryRun && !harmless.includes(webhook.sideEffects)) {
    throw newBadRequest(`admission webhook ${JSON.stringify(name)} does not support dry run`);
  }
  const review = newReview(request, target, objects, webhook.admissionReviewVersions);
  if (!review) {
    throw new WebhookCallError(
      name,
      'could not create admission objects: webhook does not accept known AdmissionReview versions (v1, v1beta1)',
    );
  }
  const verdict = await verdictOf(parts, webhook, review, may);
  for (const [key, value] of Object.entries(verdict.auditAnnotations)) {
    request.annotate(`${name}/${key}`, value);
  }
  for (const warning of verdict.warnings) request.warn(warning);
  if (!verdict.allowed) throw newWebhookRejection(name, verdict.result);
  return verdict;
}

async function verdictOf(
  { client, schema }: CallParts,
  { name, clientConfig, timeoutSeconds = 10 }: ValidatingWebhook | MutatingWebhook,
  review: Review,
  may: 'change' | 'look',
): Promise<Verdict> {
  try {
    const answer = await client.post({ target: clientConfig, body: review.body, timeoutSeconds });
    return readVerdict(decodeAnswer(answer, schema), review, may);
  } catch (error) {
    if (error instanceof CalloutError)
      throw new WebhookCallError(name, `failed to call webhook: ${error.message}`);
    if (error instanceof InvalidReviewError)
      throw new WebhookCallError(name, `received invalid webhook response: ${error.message}`);
    throw error;
  }
}

function decodeAnswer({ code, body }: CalloutAnswer, table: SchemaTable): unknown {
  if (code < 200 || code > 206) throw new CalloutError(unexpectedAnswer(code, body.toString()));
  try {
    return decode(body, { table, message: reviewMessage }).object;
  } catch (error) {
    if (error instanceof JsonSyntaxError)
      throw new CalloutError(`couldn't get version/kind; json parse error: ${error.message}`);
    if (error instanceof DecodeError) throw new CalloutError(error.message);
    throw error;
  }
}

/** What upstream's client makes of an answer that is no review: the message of a Status, else of the bare code. */
function unexpectedAnswer(code: number, text: string): string {
  const status = /^\s*\{/.test(text) ? messageOfStatus(text) : undefined;
  return status ?? newGenericServerResponse({ code, method: 'POST', body: text.trim() }).message;
}

function messageOfStatus(text: string): string | undefined {
  try {
    const { kind, message } = JSON.parse(text) as { readonly kind?: unknown; readonly message?: unknown };
    return kind === 'Status' && typeof message === 'string' ? message : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
