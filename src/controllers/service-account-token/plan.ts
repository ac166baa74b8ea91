import type { Secret, ServiceAccount } from '../../api/core/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';

/** The type of secrets that hold a token. */
export const tokenSecretType = 'kubernetes.io/service-account-token';
const nameAnnotation = 'kubernetes.io/service-account.name';
const uidAnnotation = 'kubernetes.io/service-account.uid';

/** What a token without an end says of its holder. */
export interface LegacyTokenClaims {
  readonly namespace: string;
  readonly secretName: string;
  readonly serviceAccount: { readonly name: string; readonly uid: string };
}

export interface TokenPlanOptions {
  /** PEM, as `ca.crt`. */
  readonly ca: string;
  sign(claims: LegacyTokenClaims): string;
}

/** The account that a secret holds a token of; undefined for every other secret. */
export function accountNameOf(secret: Secret): string | undefined {
  return secret.type === tokenSecretType ? secret.metadata.annotations?.[nameAnnotation] : undefined;
}

/** Whether a token secret belongs to this very account, not to an earlier one of its name. */
export function belongsTo(secret: Secret, account: Live<ServiceAccount>): boolean {
  const uid = secret.metadata.annotations?.[uidAnnotation];
  return accountNameOf(secret) === account.metadata.name && (!uid || uid === account.metadata.uid);
}

/** The secret with everything that its account's pods read from it; undefined when nothing is missing. */
export function filledSecret(
  secret: Live<Secret>,
  account: Live<ServiceAccount>,
  { ca, sign }: TokenPlanOptions,
): Live<Secret> | undefined {
  const { data = {}, metadata } = secret;
  const { namespace = '', name, uid } = account.metadata;
  const authority = Buffer.from(ca).toString('base64');
  const wantsAuthority = ca !== '' && data['ca.crt'] !== authority;
  const annotated = metadata.annotations?.[uidAnnotation] === uid;
  if (data['token'] && data['namespace'] && !wantsAuthority && annotated) return undefined;
  const token = (): string =>
    Buffer.from(sign({ namespace, secretName: metadata.name, serviceAccount: { name, uid } })).toString(
      'base64',
    );
  return {
    ...secret,
    metadata: {
      ...metadata,
      annotations: { ...metadata.annotations, [nameAnnotation]: name, [uidAnnotation]: uid },
    },
    data: {
      ...data,
      ...(wantsAuthority ? { 'ca.crt': authority } : {}),
      namespace: data['namespace'] || Buffer.from(namespace).toString('base64'),
      token: data['token'] || token(),
    },
  };
}
