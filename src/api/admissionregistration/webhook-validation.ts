import { duplicate, type FieldError, invalid, notSupported, required } from '../../machinery/field-error.ts';
import { jsonEqual } from '../../machinery/patch/json-value.ts';
import { validateLabelSelector } from '../../machinery/selectors/label-selector.ts';
import { dns1035LabelErrors, dns1123SubdomainErrors } from '../../machinery/validation/names.ts';
import { validateWebhookService, validateWebhookUrl } from '../validation/webhook-client.ts';
import { validateMatchConditions } from './match-condition-validation.ts';
import { validateMatchPolicy, validateRule } from './rule-validation.ts';
import type { MutatingWebhook, ValidatingWebhook, WebhookClientConfig } from './v1.gen.ts';

type Webhook = ValidatingWebhook | MutatingWebhook;

interface Configuration {
  readonly webhooks?: readonly Webhook[];
}

const failurePolicies = ['Fail', 'Ignore'];
const reviewVersions = ['v1', 'v1beta1'];
const harmless = ['None', 'NoneOnDryRun'];
const sideEffects = ['None', 'NoneOnDryRun', 'Some', 'Unknown'];
const reinvocationPolicies = ['IfNeeded', 'Never'];

/** What an update need not repair, because the stored object has it already. */
interface Leniency {
  readonly sideEffects: boolean;
  readonly reviewVersions: boolean;
  readonly names: boolean;
  readonly selectors: boolean;
  readonly conditions: boolean;
}

const strict: Leniency = {
  sideEffects: false,
  reviewVersions: false,
  names: false,
  selectors: false,
  conditions: false,
};

/** Everything wrong with a configuration of webhooks, in upstream's order. */
export function validateWebhooks({ webhooks = [] }: Configuration): FieldError[] {
  return validated(webhooks, strict);
}

/** Everything wrong with an update of a configuration: what was wrong before may stay so. */
export function validateWebhooksUpdate(next: Configuration, old: Configuration): FieldError[] {
  const { webhooks = [] } = next;
  const before = old.webhooks ?? [];
  const known = before.map(({ name }) => name);
  return validated(webhooks, {
    sideEffects: before.some((webhook) => !harmless.includes(webhook.sideEffects)),
    reviewVersions: before.some(
      ({ admissionReviewVersions: versions }) =>
        versions.length > 0 && !versions.some((version) => reviewVersions.includes(version)),
    ),
    names: new Set(known).size < known.length,
    selectors: before.some((webhook) => selectorErrors(webhook, '').length > 0),
    conditions:
      webhooks.length === before.length &&
      webhooks.every((webhook, index) =>
        jsonEqual(webhook.matchConditions ?? [], before[index]?.matchConditions ?? []),
      ),
  });
}

function validated(webhooks: readonly Webhook[], lenient: Leniency): FieldError[] {
  const errors: FieldError[] = [];
  const names = new Set<string>();
  for (const [index, webhook] of webhooks.entries()) {
    const field = `webhooks[${index}]`;
    errors.push(...validateWebhook(webhook, field, lenient));
    errors.push(
      ...validateReviewVersions(webhook.admissionReviewVersions, `${field}.admissionReviewVersions`, lenient),
    );
    if (lenient.names || webhook.name === '') continue;
    if (names.has(webhook.name)) errors.push(duplicate(`${field}.name`, webhook.name));
    names.add(webhook.name);
  }
  return errors;
}

function validateWebhook(webhook: Webhook, field: string, lenient: Leniency): FieldError[] {
  const { failurePolicy, matchPolicy, timeoutSeconds: timeout, matchConditions = [] } = webhook;
  const errors = validateQualifiedName(webhook.name, `${field}.name`);
  for (const [index, rule] of (webhook.rules ?? []).entries()) {
    errors.push(...validateRule(rule, `${field}.rules[${index}]`));
  }
  if (failurePolicy !== undefined && !failurePolicies.includes(failurePolicy)) {
    errors.push(notSupported(`${field}.failurePolicy`, failurePolicy, failurePolicies));
  }
  errors.push(...validateMatchPolicy(matchPolicy, `${field}.matchPolicy`));
  errors.push(...validateSideEffects(webhook, `${field}.sideEffects`, lenient));
  if (timeout !== undefined && (timeout < 1 || timeout > 30)) {
    const detail = 'the timeout value must be between 1 and 30 seconds';
    errors.push(invalid(`${field}.timeoutSeconds`, timeout, detail));
  }
  if (!lenient.selectors) errors.push(...selectorErrors(webhook, field));
  const reinvocation = 'reinvocationPolicy' in webhook ? webhook.reinvocationPolicy : undefined;
  if (reinvocation !== undefined && !reinvocationPolicies.includes(reinvocation)) {
    errors.push(notSupported(`${field}.reinvocationPolicy`, reinvocation, reinvocationPolicies));
  }
  errors.push(...validateClient(webhook.clientConfig, `${field}.clientConfig`));
  if (lenient.conditions) return errors;
  return [
    ...errors,
    ...validateMatchConditions(matchConditions, `${field}.matchConditions`, { params: false }),
  ];
}

/** Everything wrong with a name that needs a domain of at least two labels. */
function validateQualifiedName(name: string, field: string): FieldError[] {
  if (name === '') return [required(field)];
  const wrong = dns1123SubdomainErrors(name);
  if (wrong.length > 0) return [invalid(field, name, wrong.join(','))];
  if (name.split('.').length >= 3) return [];
  return [invalid(field, name, 'should be a domain with at least three segments separated by dots')];
}

function validateSideEffects(webhook: Webhook, field: string, lenient: Leniency): FieldError[] {
  const allowed = lenient.sideEffects ? sideEffects : harmless;
  const found: string | undefined = webhook.sideEffects;
  if (found === undefined) return [required(field, `must specify one of ${allowed.join(', ')}`)];
  return allowed.includes(found) ? [] : [notSupported(field, found, allowed)];
}

function selectorErrors({ namespaceSelector, objectSelector }: Webhook, field: string): FieldError[] {
  return [
    ...validateLabelSelector(namespaceSelector, `${field}.namespaceSelector`),
    ...validateLabelSelector(objectSelector, `${field}.objectSelector`),
  ];
}

function validateClient({ url, service }: WebhookClientConfig, field: string): FieldError[] {
  if (url !== undefined && service === undefined) return validateWebhookUrl(url, `${field}.url`);
  if (url === undefined && service) return validateWebhookService(service, `${field}.service`);
  return [required(field, 'exactly one of url or service is required')];
}

function validateReviewVersions(
  given: readonly string[] | undefined,
  field: string,
  lenient: Leniency,
): FieldError[] {
  const versions = given ?? [];
  if (versions.length === 0) return [required(field, `must specify one of ${reviewVersions.join(', ')}`)];
  const errors: FieldError[] = [];
  for (const [index, version] of versions.entries()) {
    const at = `${field}[${index}]`;
    if (versions.indexOf(version) < index) errors.push(invalid(at, version, 'duplicate version'));
    else errors.push(...dns1035LabelErrors(version).map((message) => invalid(at, version, message)));
  }
  if (!lenient.reviewVersions && !versions.some((version) => reviewVersions.includes(version))) {
    errors.push(invalid(field, versions, `must include at least one of ${reviewVersions.join(', ')}`));
  }
  return errors;
}
