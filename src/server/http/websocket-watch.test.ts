import { describe, expect, it } from 'vitest';
import { binaryFrames, textFrames } from './websocket-watch.ts';

const texts = (frames: readonly Buffer[]): readonly string[] => frames.map((frame) => frame.toString());

describe('frames of a watch', () => {
  it('are lines in JSON', () => {
    expect(texts(textFrames(Buffer.from('{"a":1}\n{"b":2}\n')))).toEqual(['{"a":1}\n', '{"b":2}\n']);
  });

  it('lose the length before them in protobuf', () => {
    const frame = (text: string): Buffer =>
      Buffer.concat([Buffer.from([0, 0, 0, text.length]), Buffer.from(text)]);
    expect(texts(binaryFrames(Buffer.concat([frame('one'), frame('three')])))).toEqual(['one', 'three']);
  });
});
