/** Runs work that needs several keys for itself: it begins when all earlier work with any of them has ended. */
export function createExclusiveKeys(): <T>(keys: readonly string[], work: () => Promise<T>) => Promise<T> {
  const last = new Map<string, Promise<unknown>>();
  return async (keys, work) => {
    const before = keys.flatMap((key) => last.get(key)?.catch(() => undefined) ?? []);
    const result = Promise.all(before).then(work);
    for (const key of keys) last.set(key, result);
    try {
      return await result;
    } finally {
      for (const key of keys) if (last.get(key) === result) last.delete(key);
    }
  };
}
