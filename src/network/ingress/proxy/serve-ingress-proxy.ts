import type { MessagePort } from 'node:worker_threads';
import type { Clock } from '../../../base/clock.ts';
import { createIngressProxy, type IngressProxy } from './ingress-proxy.ts';
import type { ProxyCall, ProxyReply, ProxyRequest } from './proxy-message.ts';

/** Runs a proxy in this thread for the caller at the other end of `port`. */
export function serveIngressProxy(port: MessagePort, clock: Clock): void {
  const send = (reply: ProxyReply): void => port.postMessage(reply);
  const proxy = createIngressProxy(clock, Math.random);
  port.on('message', ({ id, call }: ProxyRequest) => {
    perform(proxy, call).then(
      (result) => send({ kind: 'result', id, result }),
      (error: unknown) =>
        send({ kind: 'error', id, message: error instanceof Error ? error.message : String(error) }),
    );
  });
}

function perform(proxy: IngressProxy, call: ProxyCall): Promise<unknown> {
  switch (call.method) {
    case 'start':
      return proxy.start(call.argument);
    case 'configure':
      return proxy.configure(call.argument);
    case 'updateUpstreams':
      return proxy.updateUpstreams(call.argument);
    default:
      return proxy.close();
  }
}
