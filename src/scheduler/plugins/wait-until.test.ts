import { describe, expect, it } from 'vitest';
import { FakeClock } from '../../base/fake-clock.ts';
import { waitUntil } from './wait-until.ts';

/** Something whose changes the test announces. */
function watched(): { readonly change: () => void; readonly listeners: () => number } & {
  addHandler(handler: { onUpdate(): void }): { close(): void };
} {
  const handlers = new Set<{ onUpdate(): void }>();
  return {
    change: () => {
      for (const handler of handlers) handler.onUpdate();
    },
    listeners: () => handlers.size,
    addHandler(handler) {
      handlers.add(handler);
      return { close: () => void handlers.delete(handler) };
    },
  };
}

describe('waitUntil', () => {
  const timeoutMessage = 'too late';

  it('resolves when the check is true at once, and listens no more', async () => {
    const source = watched();
    const { signal } = new AbortController();
    const clock = new FakeClock();
    await waitUntil(() => true, { clock, timeoutMs: 1000, timeoutMessage, informers: [source], signal });
    expect(source.listeners()).toBe(0);
  });

  it('asks again after each change', async () => {
    const source = watched();
    const { signal } = new AbortController();
    let asked = 0;
    const clock = new FakeClock();
    const wait = waitUntil(() => ++asked === 3, {
      clock,
      timeoutMs: 1000,
      timeoutMessage,
      informers: [source],
      signal,
    });
    source.change();
    source.change();
    await wait;
    expect([asked, source.listeners()]).toEqual([3, 0]);
  });

  it.each<[string, (clock: FakeClock, abort: AbortController) => void, () => boolean]>([
    ['too late', (clock) => clock.advance(1000), () => false],
    ['stopped', (_clock, abort) => abort.abort(new Error('stopped')), () => false],
  ])('rejects: %s', async (message, happen, check) => {
    const source = watched();
    const abort = new AbortController();
    const clock = new FakeClock();
    const { signal } = abort;
    const wait = waitUntil(check, { clock, timeoutMs: 1000, timeoutMessage, informers: [source], signal });
    happen(clock, abort);
    await expect(wait).rejects.toThrow(message);
    expect(source.listeners()).toBe(0);
  });

  it('rejects when the check throws', async () => {
    const fail = (): boolean => {
      throw new Error('in vain');
    };
    const { signal } = new AbortController();
    const options = { clock: new FakeClock(), timeoutMs: 1000, timeoutMessage, informers: [], signal };
    await expect(waitUntil(fail, options)).rejects.toThrow('in vain');
  });
});
