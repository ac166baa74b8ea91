import type { Clock } from '../../base/clock.ts';
import type { TokenRequest } from '../../api/authentication/v1.gen.ts';
import { serviceaccounts, type Pod } from '../../api/core/v1.gen.ts';
import type { Client } from '../../client/client.ts';

export interface ServiceAccountToken {
  readonly token: string;
  /** When a new one is due, in milliseconds since the epoch. */
  readonly refreshAt: number;
  /** When it ends, in milliseconds since the epoch. */
  readonly expiresAt: number;
}

export interface ServiceAccountTokens {
  /** A token bound to the pod, requested anew when 80 % of its life or a day is over. Throws `StatusError`. */
  token(pod: Pod, audience: string, expirationSeconds: number): Promise<ServiceAccountToken>;
  forget(podUid: string): void;
}

const DAY_MS = 86_400_000;

/** Asks the API for tokens (TokenRequest) and keeps them until they are due. */
export function createServiceAccountTokens(options: {
  readonly client: Client;
  readonly clock: Clock;
}): ServiceAccountTokens {
  const { client, clock } = options;
  const tokens = new Map<string, Promise<ServiceAccountToken>>();

  async function request(
    pod: Pod,
    audience: string,
    expirationSeconds: number,
  ): Promise<ServiceAccountToken> {
    const { name = '', namespace = '', uid = '' } = pod.metadata;
    const asked = clock.now();
    const answer = await client
      .for(serviceaccounts)
      .createSubresource<TokenRequest>(
        { namespace, name: pod.spec?.serviceAccountName ?? 'default' },
        'token',
        {
          apiVersion: 'authentication.k8s.io/v1',
          kind: 'TokenRequest',
          metadata: {},
          spec: {
            ...(audience !== '' && { audiences: [audience] }),
            expirationSeconds,
            boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name, uid },
          },
        },
      );
    const expires = Date.parse(answer.status?.expirationTimestamp ?? '') || asked + expirationSeconds * 1000;
    return {
      token: answer.status?.token ?? '',
      expiresAt: expires,
      refreshAt: asked + Math.min(DAY_MS, Math.floor((expires - asked) * 0.8)),
    };
  }

  return {
    async token(pod, audience, expirationSeconds) {
      const key = `${pod.metadata.uid}/${pod.spec?.serviceAccountName}/${audience}/${expirationSeconds}`;
      const held = await tokens.get(key)?.catch(() => undefined);
      if (held && held.refreshAt > clock.now()) return held;
      const asked = request(pod, audience, expirationSeconds);
      tokens.set(key, asked);
      return asked;
    },
    forget(podUid) {
      for (const key of tokens.keys()) if (key.startsWith(`${podUid}/`)) tokens.delete(key);
    },
  };
}
