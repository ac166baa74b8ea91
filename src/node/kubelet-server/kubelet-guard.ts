import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { tokenreviews } from '../../api/authentication/v1.gen.ts';
import { subjectaccessreviews } from '../../api/authorization/v1.gen.ts';
import type { Clock } from '../../base/clock.ts';
import type { Client } from '../../client/client.ts';
import { kubeletAttributes } from './kubelet-attributes.ts';

/** Why a request is not answered. */
export interface KubeletRefusal {
  readonly code: 401 | 403 | 500;
  readonly text: string;
}

/** Decides who may ask a kubelet for what. */
export interface KubeletGuard {
  /** Undefined when the request may be answered. */
  refusal(request: IncomingMessage): Promise<KubeletRefusal | undefined>;
}

export interface KubeletGuardOptions {
  /** With leave to create token and access reviews. */
  readonly client: Client;
  readonly clock: Clock;
  /** Of the node, the object of every question. */
  nodeName(): string;
}

interface Identity {
  readonly name: string;
  readonly uid?: string;
  readonly groups: readonly string[];
}

const TOKEN_TTL_MS = 120_000;
const UNKNOWN_TOKEN_TTL_MS = 10_000;
const ALLOWED_TTL_MS = 300_000;
const DENIED_TTL_MS = 30_000;
const MOST_ENTRIES = 1000;

/**
 * Knows people by certificates of the cluster's authority and by bearer tokens, about which it asks the API server, as
 * about what they may do (the kubelet's webhook modes). Nobody is anonymous.
 */
export function createKubeletGuard({ client, clock, nodeName }: KubeletGuardOptions): KubeletGuard {
  const identities = new ExpiringAnswers<Identity | undefined>(clock, (found) =>
    found ? TOKEN_TTL_MS : UNKNOWN_TOKEN_TTL_MS,
  );
  const decisions = new ExpiringAnswers<boolean>(clock, (allowed) =>
    allowed ? ALLOWED_TTL_MS : DENIED_TTL_MS,
  );

  async function ofToken(token: string): Promise<Identity | undefined> {
    const review = await client.for(tokenreviews).create({
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenReview',
      metadata: {},
      spec: { token },
    });
    const { authenticated, user } = review.status ?? {};
    if (authenticated !== true || user?.username === undefined) return undefined;
    return {
      name: user.username,
      groups: user.groups ?? [],
      ...(user.uid !== undefined && { uid: user.uid }),
    };
  }

  async function may(who: Identity, verb: string, subresource: string): Promise<boolean> {
    const review = await client.for(subjectaccessreviews).create({
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SubjectAccessReview',
      metadata: {},
      spec: {
        user: who.name,
        groups: who.groups,
        ...(who.uid !== undefined && { uid: who.uid }),
        resourceAttributes: { verb, version: 'v1', resource: 'nodes', subresource, name: nodeName() },
      },
    });
    return review.status?.allowed === true;
  }

  async function identityOf(request: IncomingMessage): Promise<Identity | undefined> {
    const known = certificateIdentity(request.socket as TLSSocket);
    if (known) return known;
    const [, token] = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '') ?? [];
    return token === undefined ? undefined : identities.get(token, () => ofToken(token));
  }

  return {
    async refusal(request) {
      try {
        const who = await identityOf(request);
        if (!who) return { code: 401, text: 'Unauthorized' };
        if (who.groups.includes('system:masters')) return undefined;
        const { pathname } = new URL(request.url ?? '/', 'https://node');
        const { verb, subresources } = kubeletAttributes(request.method ?? 'GET', pathname);
        for (const subresource of subresources) {
          const key = JSON.stringify([who.name, who.uid, who.groups, verb, subresource]);
          if (await decisions.get(key, () => may(who, verb, subresource))) return undefined;
        }
        const text = `Forbidden (user=${who.name}, verb=${verb}, resource=nodes, subresource(s)=[${subresources.join(' ')}])`;
        return { code: 403, text };
      } catch (error) {
        return {
          code: 500,
          text: `Authorization error: ${error instanceof Error ? error.message : String(error)}`,
        };
      }
    },
  };
}

/** Who a client certificate of the cluster's authority is for. */
function certificateIdentity(socket: TLSSocket): Identity | undefined {
  if (!socket.authorized) return undefined;
  const subject = socket.getPeerCertificate().subject as
    | { readonly CN?: unknown; readonly O?: unknown }
    | undefined;
  const name = [subject?.CN].flat()[0];
  if (typeof name !== 'string') return undefined;
  const groups = [subject?.O].flat().filter((group) => typeof group === 'string');
  return { name, groups: [...groups, 'system:authenticated'] };
}

/** Answers to questions that are asked again and again, each kept for a time that depends on it. */
class ExpiringAnswers<T> {
  readonly #clock: Clock;
  readonly #ttlMs: (answer: T) => number;
  readonly #answers = new Map<string, { readonly answer: T; readonly until: number }>();

  constructor(clock: Clock, ttlMs: (answer: T) => number) {
    this.#clock = clock;
    this.#ttlMs = ttlMs;
  }

  async get(key: string, ask: () => Promise<T>): Promise<T> {
    const known = this.#answers.get(key);
    if (known && known.until > this.#clock.monotonic()) return known.answer;
    const answer = await ask();
    if (this.#answers.size >= MOST_ENTRIES) this.#answers.clear();
    this.#answers.set(key, { answer, until: this.#clock.monotonic() + this.#ttlMs(answer) });
    return answer;
  }
}
