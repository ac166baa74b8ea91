import type { DeepMutable } from '../../machinery/object.ts';
import type { MutatingWebhook, ValidatingWebhook } from '../admissionregistration/v1.gen.ts';
import type { Form, LegacyForm } from './legacy-version.ts';

type Webhook = DeepMutable<MutatingWebhook | ValidatingWebhook>;

/** Lenient where v1 is strict; v1's validation refuses webhooks whose side effects are not known. */
function defaults(object: Form): void {
  const { webhooks = [] } = object as Form & { webhooks?: Webhook[] };
  for (const webhook of webhooks) {
    webhook.failurePolicy ??= 'Ignore';
    webhook.matchPolicy ??= 'Exact';
    webhook.sideEffects ??= 'Unknown';
    if (!webhook.admissionReviewVersions?.length) webhook.admissionReviewVersions = ['v1beta1'];
  }
}

export const webhookForms: readonly LegacyForm[] = [
  {
    group: 'admissionregistration.k8s.io',
    version: 'v1beta1',
    from: 'io.k8s.api.admissionregistration.v1beta1',
    deprecated: 16,
    removed: 22,
    defaults,
  },
];
