import type { FrontExchange } from './front-exchange.ts';
import { headerValue } from './header-list.ts';

/** What the proxy says itself, in the form that the client of the request understands. */
export function answerItself(exchange: FrontExchange, status: number, reason: string): void {
  if (exchange.responded) {
    exchange.abort();
    return;
  }
  const type = headerValue(exchange.headers, 'content-type') ?? '';
  if (type.startsWith('application/grpc')) {
    const fields = ['content-type', 'application/grpc', 'grpc-status', String(grpcStatus(status))];
    exchange.respond(
      200,
      [...fields, 'grpc-message', encodeURIComponent(reason).replaceAll('%20', ' ')],
      'end',
    );
    return;
  }
  const body = Buffer.from(`${status} ${reason}\n`);
  exchange.respond(status, [
    'content-type',
    'text/plain; charset=utf-8',
    'content-length',
    String(body.length),
    ...((exchange.body || status === 400) && exchange.protocol !== 'HTTP/2' ? ['connection', 'close'] : []),
  ]);
  exchange.out.end(exchange.method === 'HEAD' ? undefined : body);
}

/** As gRPC maps statuses of HTTP; a backend that is not there is `UNAVAILABLE`. */
function grpcStatus(status: number): number {
  if (status === 404) return 12;
  if (status === 504) return 4;
  return status === 502 || status === 503 ? 14 : 13;
}
