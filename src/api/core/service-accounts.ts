import { timestamp } from '../../base/clock.ts';
import { type FieldError, invalid } from '../../machinery/field-error.ts';
import type { KubeObject, Live } from '../../machinery/object.ts';
import { newBadRequest, newConflict, newInvalid } from '../../machinery/status/errors.ts';
import type { TokenRequest, TokenRequestSpec } from '../authentication/v1.gen.ts';
import { ageColumn, nameColumn } from '../columns.ts';
import { defineResource, type ResourceDefinition, type StrategyContext } from '../resource.ts';
import { type ServiceAccount, serviceaccounts } from './v1.gen.ts';

/** The object that a token lives and dies with. */
export interface BoundObject {
  readonly kind: 'Pod' | 'Secret' | 'Node';
  readonly name: string;
  readonly uid: string;
}

/** A token to be signed. */
export interface TokenSpec {
  readonly serviceAccount: { readonly namespace: string; readonly name: string; readonly uid: string };
  readonly audiences: readonly string[];
  /** Seconds from `now` until the token is refused. */
  readonly expirationSeconds: number;
  readonly boundObject?: BoundObject;
  /** The node of the bound pod. */
  readonly node?: { readonly name: string; readonly uid?: string };
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** Signs a service-account token (a JWT) and returns it. */
export type IssueToken = (spec: TokenSpec) => Promise<string>;

/** What the `token` subresource needs of its surroundings. */
export interface TokenOptions {
  readonly issueToken: IssueToken;
  /** Audiences of a token that asks for none. */
  readonly apiAudiences: readonly string[];
}

/** Limits pods of the account to the secrets that it lists. */
const ENFORCE_ANNOTATION = 'kubernetes.io/enforce-mountable-secrets';

const DEFAULT_EXPIRATION_SECONDS = 3600;
const MIN_EXPIRATION_SECONDS = 600;
const MAX_EXPIRATION_SECONDS = 2 ** 32;

/** Identities for the processes of pods. */
export function serviceAccounts(options: TokenOptions): ResourceDefinition<ServiceAccount> {
  return defineResource<ServiceAccount>({
    storage: 'v1',
    versions: { v1: { type: serviceaccounts, schema: 'io.k8s.api.core.v1.ServiceAccount' } },
    subresources: {
      token: {
        kind: { group: 'authentication.k8s.io', version: 'v1', kind: 'TokenRequest' },
        verbs: ['create'],
        schema: 'io.k8s.api.authentication.v1.TokenRequest',
        create: (account, body: KubeObject, context) =>
          createToken(account, body as TokenRequest, { ...options, context }),
      },
    },
    warnings: ({ metadata }) =>
      metadata.annotations && Object.hasOwn(metadata.annotations, ENFORCE_ANNOTATION)
        ? [
            `metadata.annotations[${ENFORCE_ANNOTATION}]: deprecated in v1.32+; prefer separate namespaces to isolate access to mounted secrets`,
          ]
        : [],
    returnsDeleted: true,
    columns: [nameColumn(), ageColumn()],
  });
}

async function createToken(
  account: Live<ServiceAccount>,
  request: TokenRequest,
  { issueToken, apiAudiences, context }: TokenOptions & { readonly context: StrategyContext },
): Promise<TokenRequest> {
  const { name, namespace = '', uid } = account.metadata;
  checkIdentity(request, account);
  const spec: Partial<TokenRequestSpec> = request.spec;
  const { expirationSeconds = DEFAULT_EXPIRATION_SECONDS, boundObjectRef } = spec;
  const errors = validateExpiration(expirationSeconds);
  if (errors.length > 0)
    throw newInvalid({ group: 'authentication.k8s.io', kind: 'TokenRequest' }, '', errors);
  const bound = boundObjectRef ? await findBound(boundObjectRef, account, context) : undefined;
  const audiences = spec.audiences?.length ? spec.audiences : apiAudiences;
  const token = await issueToken({
    serviceAccount: { namespace, name, uid },
    audiences,
    expirationSeconds,
    ...bound,
    now: context.now,
  });
  return {
    kind: request.kind,
    apiVersion: request.apiVersion,
    metadata: { ...request.metadata, name, namespace, uid, creationTimestamp: timestamp(context.now) },
    spec: { ...request.spec, audiences, expirationSeconds },
    status: { token, expirationTimestamp: timestamp(context.now + expirationSeconds * 1000) },
  };
}

function checkIdentity({ metadata }: TokenRequest, account: Live<ServiceAccount>): void {
  const kind = { group: 'authentication.k8s.io', kind: 'TokenRequest' };
  const { name, uid } = account.metadata;
  for (const field of ['name', 'namespace'] as const) {
    const value = metadata[field];
    if (value && value !== account.metadata[field]) {
      const detail = `must match the service account ${field} if specified`;
      throw newInvalid(kind, name, [invalid(`metadata.${field}`, value, detail)]);
    }
  }
  if (metadata.uid && metadata.uid !== uid) {
    throw newConflict(
      { group: kind.group, resource: kind.kind },
      name,
      `the UID in the token request (${metadata.uid}) does not match the UID of the service account (${uid})`,
    );
  }
}

function validateExpiration(seconds: number): FieldError[] {
  const path = 'spec.expirationSeconds';
  if (seconds < MIN_EXPIRATION_SECONDS) {
    return [invalid(path, seconds, 'may not specify a duration less than 10 minutes')];
  }
  return seconds > MAX_EXPIRATION_SECONDS
    ? [invalid(path, seconds, 'may not specify a duration larger than 2^32 seconds')]
    : [];
}

type Reference = TokenRequestSpec['boundObjectRef'];

const BINDABLE = { Pod: 'pods', Secret: 'secrets', Node: 'nodes' } as const;

async function findBound(
  { apiVersion = '', kind = '', name = '', uid }: Reference,
  account: Live<ServiceAccount>,
  { server }: StrategyContext,
): Promise<Pick<TokenSpec, 'boundObject' | 'node'>> {
  if (apiVersion.includes('/') || (kind !== 'Pod' && kind !== 'Secret' && kind !== 'Node')) {
    const [version = '', group = ''] = apiVersion.split('/').reverse();
    throw newBadRequest(`cannot bind token to object of type ${group}/${version}, Kind=${kind}`);
  }
  const { namespace } = account.metadata;
  const found = (await server.request({
    verb: 'get',
    group: '',
    version: 'v1',
    resource: BINDABLE[kind],
    name,
    ...(kind === 'Node' || namespace === undefined ? {} : { namespace }),
  })) as Live<
    KubeObject & { readonly spec?: { readonly serviceAccountName?: string; readonly nodeName?: string } }
  >;
  if (kind === 'Pod' && found.spec?.serviceAccountName !== account.metadata.name) {
    throw newBadRequest(
      `cannot bind token for serviceaccount ${JSON.stringify(account.metadata.name)} to pod running with different serviceaccount name.`,
    );
  }
  if (uid && uid !== found.metadata.uid) {
    throw newConflict(
      { group: '', resource: kind },
      name,
      `the UID in the bound object reference (${uid}) does not match the UID in record. The object might have been deleted and then recreated`,
    );
  }
  return {
    boundObject: { kind, name, uid: found.metadata.uid },
    ...(kind === 'Pod' && found.spec?.nodeName ? { node: { name: found.spec.nodeName } } : {}),
  };
}
