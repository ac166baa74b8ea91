import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { protobufType } from './protobuf-body.ts';
import type { WatchSink } from './watch-sink.ts';

/** Sends each event of a watch as a message: JSON as a text, protobuf as a binary one without the length before it. */
export function webSocketSink(webSocket: WebSocket, socket: Duplex): WatchSink {
  let binary = false;
  return {
    start(contentType) {
      binary = contentType.startsWith(protobufType);
    },
    write(frames) {
      socket.cork();
      for (const event of binary ? binaryFrames(frames) : textFrames(frames))
        webSocket.send(event, { binary });
      socket.uncork();
      return !socket.writableNeedDrain;
    },
    end: () => webSocket.close(1000),
    destroy: () => webSocket.terminate(),
    on(event, listener) {
      if (event === 'drain') socket.on('drain', listener);
      else webSocket.on(event, listener);
    },
  };
}

/** Frames that each end with a line break. */
export function textFrames(frames: Buffer): readonly Buffer[] {
  return framesOf(frames, (at) => {
    const end = frames.indexOf(0x0a, at) + 1;
    return { from: at, to: end === 0 ? frames.length : end };
  });
}

/** Frames that each begin with their length in four bytes. */
export function binaryFrames(frames: Buffer): readonly Buffer[] {
  return framesOf(frames, (at) => ({ from: at + 4, to: at + 4 + frames.readUInt32BE(at) }));
}

function framesOf(
  frames: Buffer,
  frameAt: (at: number) => { readonly from: number; readonly to: number },
): readonly Buffer[] {
  const found: Buffer[] = [];
  for (let at = 0; at < frames.length;) {
    const { from, to } = frameAt(at);
    found.push(frames.subarray(from, to));
    at = to;
  }
  return found;
}
