import type { MessagePort } from 'node:worker_threads';
import type { Clock } from '../../base/clock.ts';
import { answerCalls } from '../thread/answer-calls.ts';
import type { ConflictNotice, EngineCall } from './engine-message.ts';
import { createNetworkEngine, type NetworkEngine } from './network-engine.ts';

/** Runs an engine in this thread for the caller at the other end of `port`. */
export function serveNetworkEngine(port: MessagePort, clock: Clock): void {
  const tell = (notice: ConflictNotice): void => port.postMessage(notice);
  const engine = createNetworkEngine(clock, (conflict) => tell({ kind: 'conflict', conflict }));
  answerCalls<EngineCall>(port, (call) => perform(engine, call));
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
