import type { DeepMutable } from '../../machinery/object.ts';
import { jsonEqual } from '../../machinery/patch/json-value.ts';
import { ageColumn, nameColumn } from '../columns.ts';
import { defineResource, type ResourceDefinition } from '../resource.ts';
import { defaultRules } from './matching-defaults.ts';
import {
  type MutatingWebhook,
  type MutatingWebhookConfiguration,
  mutatingwebhookconfigurations,
  type ValidatingWebhook,
  type ValidatingWebhookConfiguration,
  validatingwebhookconfigurations,
} from './v1.gen.ts';
import { validateWebhooks, validateWebhooksUpdate } from './webhook-validation.ts';

function defaultWebhook(webhook: DeepMutable<ValidatingWebhook | MutatingWebhook>): void {
  webhook.failurePolicy ??= 'Fail';
  webhook.matchPolicy ??= 'Equivalent';
  webhook.namespaceSelector ??= {};
  webhook.objectSelector ??= {};
  webhook.timeoutSeconds ??= 10;
  defaultRules(webhook.rules);
  const { service } = webhook.clientConfig;
  if (service) service.port ??= 443;
}

function changed(
  next: { readonly webhooks?: readonly unknown[] },
  old: { readonly webhooks?: readonly unknown[] },
): boolean {
  return !jsonEqual(next.webhooks ?? [], old.webhooks ?? []);
}

/** Webhooks that are asked whether a write is allowed. */
export const validatingWebhookConfigurations: ResourceDefinition<ValidatingWebhookConfiguration> =
  defineResource<ValidatingWebhookConfiguration>({
    storage: 'v1',
    versions: {
      v1: {
        type: validatingwebhookconfigurations,
        schema: 'io.k8s.api.admissionregistration.v1.ValidatingWebhookConfiguration',
        defaults: ({ webhooks }) => webhooks?.forEach(defaultWebhook),
      },
    },
    unconditionalUpdate: false,
    generation: true,
    generationChanged: changed,
    validate: validateWebhooks,
    validateUpdate: validateWebhooksUpdate,
    columns: [
      nameColumn(),
      { name: 'Webhooks', type: 'integer', cell: ({ webhooks = [] }) => webhooks.length },
      ageColumn(),
    ],
  });

/** Webhooks that may change what is written. */
export const mutatingWebhookConfigurations: ResourceDefinition<MutatingWebhookConfiguration> =
  defineResource<MutatingWebhookConfiguration>({
    storage: 'v1',
    versions: {
      v1: {
        type: mutatingwebhookconfigurations,
        schema: 'io.k8s.api.admissionregistration.v1.MutatingWebhookConfiguration',
        defaults({ webhooks }) {
          for (const webhook of webhooks ?? []) {
            defaultWebhook(webhook);
            webhook.reinvocationPolicy ??= 'Never';
          }
        },
      },
    },
    unconditionalUpdate: false,
    generation: true,
    generationChanged: changed,
    validate: validateWebhooks,
    validateUpdate: validateWebhooksUpdate,
    columns: [
      nameColumn(),
      { name: 'Webhooks', type: 'integer', cell: ({ webhooks = [] }) => webhooks.length },
      ageColumn(),
    ],
  });
