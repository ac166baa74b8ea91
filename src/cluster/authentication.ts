import { readFile } from 'node:fs/promises';
import type { TokenReview } from '../api/authentication/v1.gen.ts';
import type { Clock } from '../base/clock.ts';
import { createHttpCaller, readText } from '../client/http-call.ts';
import { connectionOf, readKubeconfigs } from '../client/kubeconfig-file.ts';
import { CelCompileError } from '../machinery/cel/compile-error.ts';
import { YamlError } from '../machinery/yaml/yaml-error.ts';
import {
  AuthenticationConfigurationError,
  parseAuthenticationConfiguration,
  type AuthenticationConfiguration,
} from '../server/auth/oidc/authentication-configuration.ts';
import { createClaimExpressions } from '../server/auth/oidc/claim-expressions.ts';
import { fetchDocument } from '../server/auth/oidc/fetch-document.ts';
import { createOidcAuthenticator } from '../server/auth/oidc/oidc-authenticator.ts';
import type { TokenAuthenticator } from '../server/auth/token-authenticator.ts';
import { createTokenWebhook, type TokenCacheObserver } from '../server/auth/token-webhook.ts';
import { ClusterError } from './cluster-error.ts';
import type { UpOptions } from './plan-cluster.ts';

export interface AuthenticationParts {
  readonly clock: Clock;
  readonly apiAudiences: readonly string[];
  /** Asked for when there is a webhook. */
  observer(): TokenCacheObserver;
}

/** Who may send requests beside those that every cluster knows. */
export interface FurtherAuthentication {
  readonly tokens: readonly TokenAuthenticator[];
  allowsAnonymous(path: string): boolean;
}

/** Reads what a person has said about authentication. Throws `INVALID_OPTION` when a file cannot be used. */
export async function furtherAuthentication(
  options: Pick<UpOptions, 'authenticationConfig' | 'tokenWebhookConfig'>,
  parts: AuthenticationParts,
): Promise<FurtherAuthentication> {
  const { authenticationConfig, tokenWebhookConfig } = options;
  const configuration = authenticationConfig === undefined ? undefined : await read(authenticationConfig);
  const issuers =
    authenticationConfig === undefined ? [] : issuersOf(authenticationConfig, configuration, parts);
  const webhook = tokenWebhookConfig === undefined ? [] : [await webhookOf(tokenWebhookConfig, parts)];
  const { enabled = true, conditions = [] } = configuration?.anonymous ?? {};
  const paths = new Set(conditions.map(({ path }) => path));
  return {
    tokens: [...issuers, ...webhook],
    allowsAnonymous: (path) => enabled && (paths.size === 0 || paths.has(path)),
  };
}

function unusable(file: string, error: unknown): ClusterError {
  const detail = error instanceof Error ? error.message : String(error);
  return new ClusterError('INVALID_OPTION', `--authentication-config ${file}: ${detail}`, { cause: error });
}

async function read(file: string): Promise<AuthenticationConfiguration> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw unusable(file, error);
  });
  try {
    return parseAuthenticationConfiguration(text);
  } catch (error) {
    if (error instanceof AuthenticationConfigurationError || error instanceof YamlError)
      throw unusable(file, error);
    throw error;
  }
}

function issuersOf(
  file: string,
  configuration: AuthenticationConfiguration | undefined,
  { clock, apiAudiences }: AuthenticationParts,
): TokenAuthenticator[] {
  const expressions = createClaimExpressions();
  try {
    return (configuration?.jwt ?? []).map((issuer) =>
      createOidcAuthenticator({
        configuration: issuer,
        expressions,
        apiAudiences,
        clock,
        fetch: (url) => fetchDocument(url, issuer.issuer.certificateAuthority),
      }),
    );
  } catch (error) {
    if (error instanceof CelCompileError) throw unusable(file, error);
    throw error;
  }
}

const reviewTimeoutMs = 30_000;

/** A webhook of whose service a kubeconfig says where it is and how to reach it. */
async function webhookOf(file: string, parts: AuthenticationParts): Promise<TokenAuthenticator> {
  const connection = await readKubeconfigs([file])
    .then((config) => connectionOf(config))
    .catch((error: unknown) => {
      const detail = error instanceof Error ? error.message : String(error);
      throw new ClusterError(
        'INVALID_OPTION',
        `--authentication-token-webhook-config-file ${file}: ${detail}`,
        { cause: error },
      );
    });
  const caller = createHttpCaller(connection);
  const path = new URL(connection.server).pathname === '/' ? '/' : '';
  const { clock, apiAudiences } = parts;
  return createTokenWebhook({
    clock,
    apiAudiences,
    observer: parts.observer(),
    async review(review) {
      const response = await caller.call({
        method: 'POST',
        path,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(review),
        signal: AbortSignal.timeout(reviewTimeoutMs),
      });
      const text = await readText(response);
      if ((response.statusCode ?? 500) >= 300)
        throw new Error(`token webhook answers ${response.statusCode ?? 0}: ${text.slice(0, 200)}`);
      return JSON.parse(text) as TokenReview;
    },
  });
}
