import { isStatus } from './status-error.ts';

/** The answer of a call; undefined when what it is about does not exist. Other failures are thrown. */
export async function unlessGone<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (isStatus(error, 'NotFound')) return undefined;
    throw error;
  }
}
