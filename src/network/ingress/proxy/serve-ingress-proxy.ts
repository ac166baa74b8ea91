import type { MessagePort } from 'node:worker_threads';
import type { Clock } from '../../../base/clock.ts';
import { answerCalls } from '../../thread/answer-calls.ts';
import { createIngressProxy, type IngressProxy } from './ingress-proxy.ts';
import type { ProxyCall } from './proxy-message.ts';

/** Runs a proxy in this thread for the caller at the other end of `port`. */
export function serveIngressProxy(port: MessagePort, clock: Clock): void {
  const proxy = createIngressProxy(clock, Math.random);
  answerCalls<ProxyCall>(port, (call) => perform(proxy, call));
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
