import { setTimeout as delay } from 'node:timers/promises';

const pollMs = 50;

/** Repeats `attempt` until it does not throw and gives its result; after `timeoutMs` its last error is thrown. */
export async function eventually<T>(attempt: () => T | Promise<T>, timeoutMs: number = 30_000): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (performance.now() > deadline) throw error;
    }
    await delay(pollMs);
  }
}
