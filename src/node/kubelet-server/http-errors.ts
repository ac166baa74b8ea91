import { StatusError } from '../../machinery/status-error.ts';
import { RuntimeError } from '../container-runtime.ts';

/** An error as an HTTP answer: a `Status` as it is, anything else as text. */
export function plainStatusOf(error: unknown): {
  readonly code: number;
  readonly type: string;
  readonly body: string;
} {
  if (error instanceof StatusError)
    return { code: error.code, type: 'application/json', body: JSON.stringify(error.status) };
  const code = error instanceof RuntimeError && error.code === 'NOT_FOUND' ? 404 : 500;
  return {
    code,
    type: 'text/plain; charset=utf-8',
    body: `${error instanceof Error ? error.message : String(error)}\n`,
  };
}
