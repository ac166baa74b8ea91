import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import { OciError } from './oci-error.ts';

type Get = (
  url: URL,
  headers: Record<string, string>,
) => Promise<{ status: number; headers: IncomingHttpHeaders; body: Readable }>;

interface Challenge {
  readonly challenge: string;
  readonly credentials?: { readonly username: string; readonly password: string };
}

/** Answers the challenges of registries (distribution, spec/auth/token.md; RFC 7617) and remembers the answers. */
export class TokenSource {
  readonly #get: Get;
  readonly #known = new Map<string, string>();

  constructor(get: Get) {
    this.#get = get;
  }

  /** The header that satisfied this registry for this scope before, if any. */
  known(origin: string, scope: string): Record<string, string> {
    const authorization = this.#known.get(`${origin} ${scope}`);
    return authorization ? { authorization } : {};
  }

  /** The header that a challenge asks for. Throws `UNAUTHORIZED` when the registry wants credentials and there are none. */
  async authorize(
    origin: string,
    scope: string,
    { challenge, credentials }: Challenge,
  ): Promise<Record<string, string>> {
    const basic =
      credentials &&
      `Basic ${Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64')}`;
    const [scheme] = challenge.split(' ', 1);
    let authorization: string;
    if (scheme?.toLowerCase() === 'bearer') {
      authorization = `Bearer ${await this.#token(challenge, scope, basic)}`;
    } else if (basic) {
      authorization = basic;
    } else {
      throw new OciError(
        'UNAUTHORIZED',
        `registry ${origin} wants a user name and a password; add an imagePullSecret`,
      );
    }
    this.#known.set(`${origin} ${scope}`, authorization);
    return { authorization };
  }

  async #token(challenge: string, scope: string, basic: string | undefined): Promise<string> {
    const parameters = new Map(
      [...challenge.matchAll(/(\w+)="([^"]*)"/g)].map((match) => [match[1], match[2] ?? '']),
    );
    const realm = parameters.get('realm');
    if (!realm)
      throw new OciError('UNAUTHORIZED', `the registry's challenge names no token service: ${challenge}`);
    const url = new URL(realm);
    const service = parameters.get('service');
    if (service) url.searchParams.set('service', service);
    url.searchParams.set('scope', parameters.get('scope') ?? scope);
    const answer = await this.#get(url, basic ? { authorization: basic } : {});
    let text = '';
    for await (const chunk of answer.body) text += String(chunk);
    if (answer.status !== 200)
      throw new OciError(
        'UNAUTHORIZED',
        `token service ${url.origin} answers ${answer.status}; check the imagePullSecret`,
      );
    const document: unknown = JSON.parse(text);
    const token = tokenOf(document);
    if (!token) throw new OciError('UNAUTHORIZED', `token service ${url.origin} answered without a token`);
    return token;
  }
}

function tokenOf(document: unknown): string | undefined {
  if (typeof document !== 'object' || document === null) return undefined;
  if ('token' in document && typeof document.token === 'string') return document.token;
  if ('access_token' in document && typeof document.access_token === 'string') return document.access_token;
  return undefined;
}
