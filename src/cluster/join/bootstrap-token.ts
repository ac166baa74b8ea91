import { randomInt } from 'node:crypto';
import { secrets, type Secret } from '../../api/core/v1.gen.ts';
import type { Client } from '../../client/client.ts';
import { ClusterError } from '../cluster-error.ts';

/** A bootstrap token: a public id and a secret. */
export interface BootstrapToken {
  readonly id: string;
  readonly secret: string;
}

export interface TokenOptions {
  readonly token: BootstrapToken;
  /** Absent: it has no end. */
  readonly ttlMs: number | undefined;
  readonly now: number;
  readonly description?: string;
  readonly groups: readonly string[];
}

/** The group in which nodes join. */
export const joiningGroup = 'system:bootstrappers:kubeadm:default-node-token';

const namespace = 'kube-system';
const type = 'bootstrap.kubernetes.io/token';

/** Reads `abcdef.0123456789abcdef`. Throws `INVALID_OPTION`. */
export function parseToken(text: string): BootstrapToken {
  const [, id, secret] = /^([a-z0-9]{6})\.([a-z0-9]{16})$/.exec(text) ?? [];
  if (id === undefined || secret === undefined)
    throw new ClusterError(
      'INVALID_OPTION',
      'a token is six and sixteen lower case letters and digits with a dot between them: abcdef.0123456789abcdef',
    );
  return { id, secret };
}

export function newToken(): BootstrapToken {
  const letters = 'abcdefghijklmnopqrstuvwxyz0123456789';
  const text = (length: number): string =>
    Array.from({ length }, () => letters[randomInt(letters.length)]).join('');
  return { id: text(6), secret: text(16) };
}

export function formatToken({ id, secret }: BootstrapToken): string {
  return `${id}.${secret}`;
}

/** Makes the Secret by which the API server knows a token. */
export async function createToken(client: Client, options: TokenOptions): Promise<void> {
  const { token, ttlMs, now, description, groups } = options;
  await client.for(secrets).create({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { namespace, name: secretName(token.id) },
    type,
    stringData: {
      'token-id': token.id,
      'token-secret': token.secret,
      'usage-bootstrap-authentication': 'true',
      'usage-bootstrap-signing': 'true',
      'auth-extra-groups': groups.join(','),
      ...(ttlMs !== undefined && { expiration: new Date(now + ttlMs).toISOString().replace(/\.\d+Z$/, 'Z') }),
      ...(description !== undefined && { description }),
    },
  });
}

/** A token as it is listed; milliseconds since the epoch. */
export interface ListedToken {
  readonly token: string;
  readonly expires: number | undefined;
  readonly groups: string;
  readonly description: string;
}

export async function listTokens(client: Client): Promise<readonly ListedToken[]> {
  const { items } = await client.for(secrets).list({ namespace, fieldSelector: `type=${type}` });
  return items.map((secret) => {
    const end = Date.parse(textOf(secret, 'expiration'));
    return {
      token: `${textOf(secret, 'token-id')}.${textOf(secret, 'token-secret')}`,
      expires: Number.isNaN(end) ? undefined : end,
      groups: textOf(secret, 'auth-extra-groups'),
      description: textOf(secret, 'description'),
    };
  });
}

/** Deletes a token by its id, or by the whole of it. */
export async function deleteToken(client: Client, text: string): Promise<void> {
  const [id = ''] = text.split('.');
  await client.for(secrets).delete({ namespace, name: secretName(id) });
}

function secretName(id: string): string {
  return `bootstrap-token-${id}`;
}

function textOf({ data = {} }: Secret, key: string): string {
  return Buffer.from(data[key] ?? '', 'base64').toString();
}
