import type { Secret } from '../../api/core/v1.gen.ts';

/** The type of secrets that hold a bootstrap token, all in {@link tokenNamespace}. */
export const tokenType = 'bootstrap.kubernetes.io/token';
export const tokenNamespace = 'kube-system';

/** The text behind one key of a secret. */
export function secretText({ data = {} }: Secret, key: string): string {
  return Buffer.from(data[key] ?? '', 'base64').toString();
}

/** Milliseconds until the token ends, at most 0 when it has; undefined when it has no end. An end that is no time has passed. */
export function msLeft(secret: Secret, now: number): number | undefined {
  const expiration = secretText(secret, 'expiration');
  if (expiration === '') return undefined;
  const end = Date.parse(expiration);
  return Number.isNaN(end) ? 0 : end - now;
}
