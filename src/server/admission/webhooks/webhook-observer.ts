import { StatusError } from '../../../machinery/status-error.ts';
import { WebhookCallError } from './webhook-failure.ts';

/** How a call of a webhook ended. */
export interface WebhookCall {
  readonly name: string;
  readonly type: 'admit' | 'validating';
  readonly operation: string;
  readonly ms: number;
  readonly rejected: boolean;
  /** What it answered; 0 where the server itself failed. */
  readonly code: number;
  readonly failure?: 'calling_webhook_error' | 'apiserver_internal_error' | 'no_error';
}

/** Hears of calls of webhooks. Must not throw. */
export interface WebhookObserver {
  now(): number;
  called(call: WebhookCall): void;
  /** A webhook that gave no usable answer was passed over. */
  failedOpen(name: string, type: WebhookCall['type']): void;
}

const unavailable = 503;

/** Runs one call and tells how it ended. `ignores` is whether a call that fails is passed over. */
export async function observeCall<T>(
  observer: WebhookObserver | undefined,
  about: Pick<WebhookCall, 'name' | 'type' | 'operation'> & { readonly ignores: boolean },
  call: () => Promise<T>,
): Promise<T> {
  if (!observer) return call();
  const { name, type, operation, ignores } = about;
  const startedAt = observer.now();
  const tell = (end: Pick<WebhookCall, 'rejected' | 'code' | 'failure'>): void =>
    observer.called({ name, type, operation, ms: observer.now() - startedAt, ...end });
  try {
    const result = await call();
    tell({ rejected: false, code: 200 });
    return result;
  } catch (error) {
    if (error instanceof WebhookCallError) {
      if (ignores) {
        observer.failedOpen(name, type);
        tell({ rejected: false, code: unavailable });
      } else {
        tell({ rejected: true, code: unavailable, failure: 'calling_webhook_error' });
      }
    } else if (error instanceof StatusError && error.code < 500) {
      tell({ rejected: true, code: error.code, failure: 'no_error' });
    } else {
      tell({ rejected: true, code: 0, failure: 'apiserver_internal_error' });
    }
    throw error;
  }
}
