/** What {@link slowStart} managed before it gave up. */
export interface SlowStartResult {
  readonly done: number;
  /** The first failure of the batch that ended it. */
  readonly error?: unknown;
}

/**
 * Calls `act` `count` times in parallel batches of 1, 2, 4 … and ends after a batch in which a call failed, so that a
 * mistake common to all calls (a quota, a webhook) costs few of them.
 */
export async function slowStart(
  count: number,
  act: (index: number) => Promise<void>,
): Promise<SlowStartResult> {
  let done = 0;
  for (let next = 0, size = 1; next < count; next += size, size *= 2) {
    const batch = Array.from({ length: Math.min(size, count - next) }, (_, offset) => act(next + offset));
    const results = await Promise.allSettled(batch);
    done += results.filter((result) => result.status === 'fulfilled').length;
    const failed = results.find((result) => result.status === 'rejected');
    if (failed) return { done, error: failed.reason as unknown };
  }
  return { done };
}
