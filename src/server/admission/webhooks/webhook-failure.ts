import type { Status } from '../../../machinery/meta/v1.gen.ts';
import { StatusError } from '../../../machinery/status-error.ts';

/** A webhook that gave no usable answer; its failure policy says what that means. */
export class WebhookCallError extends Error {
  override readonly name = 'WebhookCallError';

  constructor(webhook: string, reason: string) {
    super(`failed calling webhook ${JSON.stringify(webhook)}: ${reason}`);
  }
}

/** The refusal of a webhook as the client sees it, in upstream's words. */
export function newWebhookRejection(webhook: string, result: Partial<Status> | undefined): StatusError {
  const denied = `admission webhook ${JSON.stringify(webhook)} denied the request`;
  const detail = result?.message || result?.reason;
  const { code = 0, status } = result ?? {};
  return new StatusError({
    ...result,
    kind: 'Status',
    apiVersion: 'v1',
    metadata: result?.metadata ?? {},
    status: !status || status === 'Success' ? 'Failure' : status,
    message: detail ? `${denied}: ${detail}` : `${denied} without explanation`,
    reason: result?.reason ?? '',
    code: code < 400 ? 400 : code,
  });
}
