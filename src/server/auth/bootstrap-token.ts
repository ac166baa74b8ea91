import { timingSafeEqual } from 'node:crypto';
import { secrets, type Secret } from '../../api/core/v1.gen.ts';
import type { Clock } from '../../base/clock.ts';
import type { Lookup } from '../admission/lookup.ts';
import type { TokenAuthenticator } from './token-authenticator.ts';

const tokenNamespace = 'kube-system';
const tokenType = 'bootstrap.kubernetes.io/token';
const groupPattern = /^system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]$/;

export interface BootstrapTokenOptions {
  readonly lookup: Lookup;
  readonly clock: Clock;
  readonly apiAudiences: readonly string[];
}

/**
 * Tokens `id.secret` that stand in secrets `kube-system/bootstrap-token-ID` and may be used for authentication: their user is
 * `system:bootstrap:ID` of group `system:bootstrappers` and the groups that the secret adds.
 */
export function createBootstrapTokens({
  lookup,
  clock,
  apiAudiences,
}: BootstrapTokenOptions): TokenAuthenticator {
  return {
    authenticate(token, audiences) {
      const [, id = '', secretPart = ''] = /^([a-z0-9]{6})\.([a-z0-9]{16})$/.exec(token) ?? [];
      if (id === '') return undefined;
      const secret = lookup.get<Secret>(secrets, tokenNamespace, `bootstrap-token-${id}`);
      if (!secret || secret.metadata.deletionTimestamp !== undefined || secret.type !== tokenType)
        return undefined;
      if (text(secret, 'token-id') !== id || !equal(text(secret, 'token-secret'), secretPart))
        return undefined;
      if (hasEnded(secret, clock.now()) || text(secret, 'usage-bootstrap-authentication') !== 'true')
        return undefined;
      const groups = extraGroups(secret);
      if (!groups) return undefined;
      return {
        audiences: apiAudiences.filter((audience) => audiences.includes(audience)),
        user: {
          name: `system:bootstrap:${id}`,
          groups: ['system:bootstrappers', ...groups, 'system:authenticated'],
        },
      };
    },
  };
}

function text({ data = {} }: Secret, key: string): string {
  return Buffer.from(data[key] ?? '', 'base64').toString();
}

function equal(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
}

function hasEnded(secret: Secret, now: number): boolean {
  const expiration = text(secret, 'expiration');
  return expiration !== '' && !(Date.parse(expiration) > now);
}

/** Undefined when one of the groups is not for bootstrap tokens: then the token is good for nothing. */
function extraGroups(secret: Secret): readonly string[] | undefined {
  const listed = text(secret, 'auth-extra-groups');
  if (listed === '') return [];
  const groups = [...new Set(listed.split(',').map((group) => group.trim()))].sort();
  return groups.every((group) => groupPattern.test(group)) ? groups : undefined;
}
