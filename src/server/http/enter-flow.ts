import type { FlowController, FlowRequest } from '../flow-control/flow-controller.ts';
import type { Seats } from '../flow-control/priority-level.ts';
import type { HttpResponse, Reply } from './exchange.ts';
import { isLongRunning } from './request-deadline.ts';

/** A request that is refused with an answer of its own rather than a Status. */
export class RefusedRequest extends Error {
  override readonly name = 'RefusedRequest';
  readonly reply: Reply;

  constructor(reply: Reply, options?: ErrorOptions) {
    super(reply.body.toString().trim(), options);
    this.reply = reply;
  }
}

function tooManyRequests(cause: unknown): RefusedRequest {
  const reply = {
    code: 429,
    contentType: 'text/plain; charset=utf-8',
    body: Buffer.from('Too many requests, please try again later.\n'),
    headers: { 'retry-after': '1', 'x-content-type-options': 'nosniff' },
  };
  return new RefusedRequest(reply, { cause });
}

/**
 * Takes the seats that a request needs, and names its flow schema and priority level in the answer's headers. Streams need
 * none; a watch holds them until it has begun. Throws, or rejects with, {@link RefusedRequest}.
 */
export function enterFlow(
  flow: FlowController,
  response: HttpResponse,
  request: FlowRequest,
): Seats | Promise<Seats> | undefined {
  const { info } = request;
  if (isLongRunning(info) && info.verb !== 'watch') return undefined;
  const classified = flow.classify(request);
  if (!classified) return undefined;
  response.setHeader('x-kubernetes-pf-flowschema-uid', classified.flowSchemaUid);
  response.setHeader('x-kubernetes-pf-prioritylevel-uid', classified.priorityLevelUid);
  let gone: AbortController | undefined;
  let seats: Seats | Promise<Seats>;
  try {
    seats = classified.enter(() => (gone = new AbortController()).signal);
  } catch (error) {
    throw tooManyRequests(error);
  }
  if (!(seats instanceof Promise)) return seats;
  const leave = (): void => gone?.abort();
  response.once('close', leave);
  return seats
    .catch((error: unknown) => {
      throw tooManyRequests(error);
    })
    .finally(() => response.removeListener('close', leave));
}
