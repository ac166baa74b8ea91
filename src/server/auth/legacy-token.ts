import type { TokenReferences } from './service-account-token.ts';
import type { TokenResult } from './token-authenticator.ts';

/** The issuer that tokens without an end name. */
export const legacyIssuer = 'kubernetes/serviceaccount';
const claimPrefix = 'kubernetes.io/serviceaccount/';
const invalidLabel = 'kubernetes.io/legacy-token-invalid-since';

const autoTokenWarning =
  'Use tokens from the TokenRequest API or manually created secret-based tokens instead of auto-generated secret-based tokens.';

/** What a token that lives as long as its secret says. */
export interface LegacyClaims {
  readonly namespace: string;
  readonly secretName: string;
  readonly serviceAccount: { readonly name: string; readonly uid: string };
}

/** The payload of such a token, as upstream's tokens controller writes it. */
export function legacyPayload({ namespace, secretName, serviceAccount }: LegacyClaims): object {
  return {
    iss: legacyIssuer,
    [`${claimPrefix}namespace`]: namespace,
    [`${claimPrefix}secret.name`]: secretName,
    [`${claimPrefix}service-account.name`]: serviceAccount.name,
    [`${claimPrefix}service-account.uid`]: serviceAccount.uid,
    sub: `system:serviceaccount:${namespace}:${serviceAccount.name}`,
  };
}

interface Checking {
  readonly references: TokenReferences;
  readonly audiences: readonly string[];
  /** The server's own audiences, which alone such a token is good for. */
  readonly own: readonly string[];
}

/** Whom a token with a good signature stands for: its secret must still hold it, and its account exist. */
export function checkLegacyToken(
  token: string,
  payload: object,
  { references, audiences, own }: Checking,
): TokenResult {
  const claims = new Map<string, unknown>(Object.entries(payload));
  const claim = (name: string): string => {
    const value = claims.get(name);
    return typeof value === 'string' ? value : '';
  };
  const namespace = claim(`${claimPrefix}namespace`);
  const secretName = claim(`${claimPrefix}secret.name`);
  const name = claim(`${claimPrefix}service-account.name`);
  const uid = claim(`${claimPrefix}service-account.uid`);
  const missing = Object.entries({
    namespace,
    secretName,
    serviceAccountName: name,
    serviceAccountUID: uid,
  }).find(([, value]) => value === '');
  if (missing) return { error: `${missing[0]} claim is missing` };
  const subject = `system:serviceaccount:${namespace}:${name}`;
  if (claim('sub') !== subject) return { error: 'sub claim is invalid' };
  const secret = references.tokenSecret(namespace, secretName);
  if (!secret) return { error: 'Token has been invalidated' };
  if (Buffer.from(secret.data?.['token'] ?? '', 'base64').toString() !== token)
    return { error: "Token does not match server's copy" };
  if (!references.exists('ServiceAccount', { namespace, name, uid }))
    return { error: 'service account token has been invalidated' };
  if (secret.metadata.labels?.[invalidLabel] !== undefined)
    return {
      isMarkedInvalid: true,
      error: `the token in secret ${namespace}/${secretName} for service account ${namespace}/${name} has been marked invalid. Use tokens from the TokenRequest API or manually created secret-based tokens, or remove the '${invalidLabel}' label from the secret to temporarily allow use of this token`,
    };
  const shared = own.filter((audience) => audiences.includes(audience));
  if (shared.length === 0)
    return {
      error: `token audiences ${JSON.stringify(own)} is invalid for the target audiences ${JSON.stringify(audiences)}`,
    };
  references.used(secret);
  const isMade = references.listsSecret(namespace, name, secretName);
  return {
    audiences: shared,
    ...(isMade ? { warning: autoTokenWarning } : {}),
    auditAnnotations: { 'authentication.k8s.io/legacy-token': subject },
    user: {
      name: subject,
      uid,
      groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
    },
  };
}
