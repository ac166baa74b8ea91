import { flushHeaders, writeChunk, type HttpResponse } from './exchange.ts';

/** Where the events of a watch go: each frame is one event. */
export interface WatchSink {
  /** Begins the answer. */
  start(contentType: string): void;
  /** Takes whole frames; false when the client reads more slowly than that, until `drain`. */
  write(frames: Buffer): boolean;
  end(): void;
  /** Cuts the client off. */
  destroy(): void;
  on(event: 'close' | 'error' | 'drain', listener: () => void): void;
}

/** Streams the events as the body of an answer. */
export function httpSink(response: HttpResponse): WatchSink {
  return {
    start(contentType) {
      response.statusCode = 200;
      response.setHeader('content-type', contentType);
      response.setHeader('cache-control', 'no-cache, private');
      flushHeaders(response);
    },
    write: (frames) => writeChunk(response, frames),
    end: () => void response.end(),
    destroy: () => void response.destroy(),
    on: (event, listener) => void response.on(event, listener),
  };
}
