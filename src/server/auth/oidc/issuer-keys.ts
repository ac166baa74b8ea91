import type { JSONWebKeySet } from 'jose';
import type { Clock } from '../../../base/clock.ts';

export interface IssuerKeysOptions {
  readonly url: string;
  readonly discoveryUrl?: string;
  readonly clock: Clock;
  fetch(url: string): Promise<unknown>;
}

/** The keys that an issuer publishes now (OpenID Connect Discovery 1.0). */
export interface IssuerKeys {
  /** `refresh` asks the issuer again, unless that was done just now. Rejects when the issuer cannot be asked. */
  keys(how: 'known' | 'refresh'): Promise<JSONWebKeySet>;
}

const refreshAfterMs = 2_000;

export function createIssuerKeys({ url, discoveryUrl, clock, fetch }: IssuerKeysOptions): IssuerKeys {
  let current: Promise<JSONWebKeySet> | undefined;
  let fetchedAt = Number.NEGATIVE_INFINITY;

  async function load(): Promise<JSONWebKeySet> {
    const document = (await fetch(
      discoveryUrl ?? `${url.replace(/\/$/, '')}/.well-known/openid-configuration`,
    )) as {
      readonly issuer?: string;
      readonly jwks_uri?: string;
    };
    if (document.issuer !== url)
      throw new Error(
        `oidc: issuer did not match the issuer returned by provider, expected ${JSON.stringify(url)} got ${JSON.stringify(document.issuer ?? '')}`,
      );
    return (await fetch(document.jwks_uri ?? '')) as JSONWebKeySet;
  }

  return {
    keys(how) {
      const isOld = clock.monotonic() - fetchedAt > refreshAfterMs;
      if (!current || (how === 'refresh' && isOld)) {
        fetchedAt = clock.monotonic();
        const loading = load();
        current = loading;
        loading.catch(() => {
          if (current === loading) current = undefined;
        });
      }
      return current;
    },
  };
}
