import type { MessagePort } from 'node:worker_threads';
import type { Clock } from '../../base/clock.ts';
import type { EngineCall, EngineReply, EngineRequest } from './engine-message.ts';
import { createNetworkEngine, type NetworkEngine } from './network-engine.ts';

/** Runs an engine in this thread for the caller at the other end of `port`. */
export function serveNetworkEngine(port: MessagePort, clock: Clock): void {
  const send = (reply: EngineReply): void => port.postMessage(reply);
  const engine = createNetworkEngine(clock, (conflict) => send({ kind: 'conflict', conflict }));
  port.on('message', ({ id, call }: EngineRequest) => {
    perform(engine, call).then(
      (result) => send({ kind: 'result', id, result }),
      (error: unknown) =>
        send({ kind: 'error', id, message: error instanceof Error ? error.message : String(error) }),
    );
  });
}

function perform(engine: NetworkEngine, call: EngineCall): Promise<unknown> {
  switch (call.method) {
    case 'startDns':
      return engine.startDns(call.argument);
    case 'updateDns':
      return engine.updateDns(call.argument);
    case 'startProxy':
      return engine.startProxy(call.argument);
    default:
      return engine.updateServices(call.argument);
  }
}
