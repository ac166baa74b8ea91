import type { MessagePort } from 'node:worker_threads';
import type { ThreadReply, ThreadRequest } from './thread-message.ts';

/** Performs what is asked at the other end of `port`, and answers. */
export function answerCalls<Call>(port: MessagePort, perform: (call: Call) => Promise<unknown>): void {
  const send = (reply: ThreadReply): void => port.postMessage(reply);
  port.on('message', ({ id, call }: ThreadRequest<Call>) => {
    perform(call).then(
      (result) => send({ kind: 'result', id, result }),
      (error: unknown) =>
        send({ kind: 'error', id, message: error instanceof Error ? error.message : String(error) }),
    );
  });
}
