import type { Clock, Timer } from '../../base/clock.ts';
import type { FlowController, FlowRequest } from '../flow-control/flow-controller.ts';
import type { Seats } from '../flow-control/priority-level.ts';
import { enterFlow } from './enter-flow.ts';
import type { HttpResponse } from './exchange.ts';
import { isLongRunning, requestTimeoutMs } from './request-deadline.ts';

export interface RequestHoldOptions {
  readonly clock: Clock;
  readonly flow: FlowController | undefined;
  readonly response: HttpResponse;
  /** The request has had its time. */
  onLate(): void;
}

/** What one request holds while it is served: its seats, and a deadline. */
export interface RequestHold {
  /** Waits for seats, when it has to. Throws, or rejects, when the request is refused or says no proper time. */
  enter(request: FlowRequest): Promise<void> | undefined;
  release(): void;
}

export function holdRequest({ clock, flow, response, onLate }: RequestHoldOptions): RequestHold {
  let seats: Seats | undefined;
  let deadline: Timer | undefined;
  return {
    enter(request) {
      if (!isLongRunning(request.info)) {
        deadline = clock.after(requestTimeoutMs(request.query), () => {
          seats?.release();
          onLate();
        });
      }
      const entered = flow && enterFlow(flow, response, request);
      if (entered instanceof Promise)
        return entered.then((got) => {
          seats = got;
        });
      seats = entered;
      return undefined;
    },
    release() {
      deadline?.cancel();
      seats?.release();
    },
  };
}
