import { forbidden, invalid, notSupported, required, type FieldError } from '../../machinery/field-error.ts';
import { dns1035LabelErrors } from '../../machinery/validation/names.ts';
import { validateWebhookService, validateWebhookUrl } from '../validation/webhook-client.ts';
import type { CustomResourceConversion, WebhookClientConfig } from './v1.gen.ts';

/** What is wrong with how a definition converts its versions; paths are those of upstream's internal form. */
export function conversionErrors(
  conversion: CustomResourceConversion | undefined,
  path: string,
): FieldError[] {
  if (!conversion) return [];
  const { strategy, webhook } = conversion;
  const strategies = ['None', 'Webhook'];
  const errors: FieldError[] = [];
  if (!strategy) errors.push(required(`${path}.strategy`));
  else if (!strategies.includes(strategy)) {
    errors.push(notSupported(`${path}.strategy`, strategy, strategies));
  }
  const config = `${path}.webhookClientConfig`;
  const versions = `${path}.conversionReviewVersions`;
  if (strategy !== 'Webhook') {
    const detail = 'should not be set when strategy is not set to Webhook';
    if (webhook?.clientConfig) errors.push(forbidden(config, detail));
    if (webhook && webhook.conversionReviewVersions.length > 0) errors.push(forbidden(versions, detail));
    return errors;
  }
  if (webhook?.clientConfig) errors.push(...clientErrors(webhook.clientConfig, config));
  else errors.push(required(config, 'required when strategy is set to Webhook'));
  return [...errors, ...reviewVersionErrors(webhook?.conversionReviewVersions ?? [], versions)];
}

function clientErrors({ url, service, caBundle }: WebhookClientConfig, path: string): FieldError[] {
  const errors: FieldError[] = [];
  if ((url === undefined) === (service === undefined)) {
    errors.push(required(path, 'exactly one of url or service is required'));
  } else if (url !== undefined) errors.push(...validateWebhookUrl(url, `${path}.url`));
  else if (service) errors.push(...validateWebhookService(service, `${path}.service`));
  if (caBundle && !Buffer.from(caBundle, 'base64').includes('-----BEGIN CERTIFICATE-----')) {
    const detail = 'unable to load root certificates: unable to parse bytes as PEM block';
    errors.push(invalid(`${path}.caBundle`, caBundle, detail));
  }
  return errors;
}

const recognized = ['v1', 'v1beta1'];

function reviewVersionErrors(versions: readonly string[], path: string): FieldError[] {
  if (versions.length === 0) return [required(path)];
  const errors: FieldError[] = [];
  versions.forEach((version, index) => {
    const at = `${path}[${index}]`;
    if (versions.indexOf(version) < index) {
      errors.push(invalid(at, version, 'duplicate version'));
      return;
    }
    const problems = dns1035LabelErrors(version);
    if (problems.length > 0) errors.push(invalid(at, version, problems.join(',')));
  });
  if (!versions.some((version) => recognized.includes(version))) {
    const detail = `must include at least one of ${recognized.join(', ')}`;
    errors.push(invalid(path, versions, detail));
  }
  return errors;
}
