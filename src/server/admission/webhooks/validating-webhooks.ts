import {
  validatingwebhookconfigurations,
  type ValidatingWebhook,
} from '../../../api/admissionregistration/v1.gen.ts';
import { newInternalError } from '../../../machinery/status/errors.ts';
import { StatusError } from '../../../machinery/status-error.ts';
import type { AdmissionPlugin, AdmissionRequest } from '../admission-chain.ts';
import { isExempt } from '../matching/exempt-kinds.ts';
import { callWebhook, type CallParts, type Invocation } from './call-webhook.ts';
import { configuredWebhooks } from './configured-webhooks.ts';
import { observeCall } from './webhook-observer.ts';
import { matchWebhook, type MatchParts } from './webhook-matching.ts';
import { WebhookCallError } from './webhook-failure.ts';

const failedOpen = 'failed-open.validating.webhook.admission.k8s.io/';

/** Asks all webhooks that match at once whether a write is allowed (upstream's ValidatingAdmissionWebhook). */
export function validatingWebhooks(parts: CallParts & MatchParts): AdmissionPlugin {
  const hooks = configuredWebhooks<ValidatingWebhook>(parts.lookup, validatingwebhookconfigurations);
  return {
    name: 'ValidatingAdmissionWebhook',
    async validate(request) {
      const configured = hooks();
      if (configured.length === 0 || isExempt(request)) return;
      const invocations: Invocation<ValidatingWebhook>[] = [];
      for (const { webhook } of configured) {
        const matched = await matchWebhook(parts, request, webhook);
        if (matched) invocations.push({ webhook, ...matched, may: 'look' });
      }
      const failures = await Promise.all(
        invocations.map((invocation, index) => ask(parts, request, { invocation, index })),
      );
      const first = failures.find((failure) => failure !== undefined);
      if (first) throw first;
    },
  };
}

interface Asking {
  readonly invocation: Invocation<ValidatingWebhook>;
  readonly index: number;
}

async function ask(
  parts: CallParts,
  request: AdmissionRequest,
  { invocation, index }: Asking,
): Promise<StatusError | undefined> {
  const { name, failurePolicy } = invocation.webhook;
  const ignores = failurePolicy === 'Ignore';
  const about = { name, type: 'validating', operation: request.operation, ignores } as const;
  try {
    await observeCall(parts.observer, about, () => callWebhook(parts, request, invocation));
    return undefined;
  } catch (error) {
    if (error instanceof StatusError) return error;
    if (!(error instanceof WebhookCallError)) throw error;
    if (!ignores) return newInternalError(error.message);
    request.annotate(`${failedOpen}round_0_index_${index}`, name);
    return undefined;
  }
}
