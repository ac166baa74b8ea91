import type { AuthenticationOptions } from '../api/authentication/token-reviews.ts';
import type { AccessRequest, AuthorizationOptions, UserRules } from '../api/authorization/authorizer.ts';
import type { NonResourceRule, ResourceRule } from '../api/authorization/v1.gen.ts';
import type { TokenOptions } from '../api/core/service-accounts.ts';
import type { UserInfo } from '../api/resource.ts';
import { aggregate } from '../machinery/status/errors.ts';
import type { Attributes, Authorizer } from './auth/authorizer.ts';
import { nodeName } from './auth/node-identity.ts';
import { rulesFor, type PolicySource } from './auth/rbac-authorizer.ts';
import type { ServiceAccountTokens } from './auth/service-account-token.ts';
import type { TokenVerdict } from './auth/token-authenticator.ts';

/** The parts of the server that answer what definitions ask. */
export interface NeedsParts {
  readonly authorizer: Authorizer;
  readonly policy: PolicySource;
  readonly tokens: ServiceAccountTokens;
  /** What all token authenticators say of a token. */
  authenticateToken(token: string, audiences: readonly string[]): TokenVerdict | Promise<TokenVerdict>;
  /** Empty when there is no such node. */
  nodeUid(name: string): string;
}

function attributesOf({ verb, resource, path }: AccessRequest): Attributes {
  if (!resource) return { verb, path: path ?? '' };
  const { group, version, subresource, namespace, name } = resource;
  const fieldSelector = selectorText(resource.fieldSelector);
  const labelSelector = selectorText(resource.labelSelector);
  return {
    verb,
    group,
    version,
    resource: resource.resource,
    ...(subresource === '' ? {} : { subresource }),
    ...(namespace === '' ? {} : { namespace }),
    ...(name === '' ? {} : { name }),
    ...(fieldSelector === '' ? {} : { fieldSelector }),
    ...(labelSelector === '' ? {} : { labelSelector }),
  };
}

interface SelectorAttributes {
  readonly rawSelector?: string;
  readonly requirements?: readonly {
    readonly key: string;
    readonly operator: string;
    readonly values?: readonly string[];
  }[];
}

/** The selector as a request would have it. What cannot be said so is left out: it would only narrow the request. */
function selectorText({ rawSelector = '', requirements = [] }: SelectorAttributes = {}): string {
  const terms = requirements.flatMap(({ key, operator, values = [] }) => {
    const [value, ...others] = values;
    if (value === undefined || others.length > 0) return [];
    if (operator === 'In') return [`${key}=${value.replaceAll(/[\\,=]/g, '\\$&')}`];
    return operator === 'NotIn' ? [`${key}!=${value.replaceAll(/[\\,=]/g, '\\$&')}`] : [];
  });
  return rawSelector || terms.join(',');
}

function userRules(policy: PolicySource, user: UserInfo, namespace: string): UserRules {
  const resourceRules: ResourceRule[] = [];
  const nonResourceRules: NonResourceRule[] = [];
  for (const { rule } of rulesFor(policy, user, namespace)) {
    const { verbs, apiGroups, resources, resourceNames, nonResourceURLs } = rule;
    if ((resources?.length ?? 0) > 0) {
      resourceRules.push({
        verbs,
        apiGroups: apiGroups ?? [],
        resources: resources ?? [],
        ...(resourceNames ? { resourceNames } : {}),
      });
    }
    if ((nonResourceURLs?.length ?? 0) > 0)
      nonResourceRules.push({ verbs, nonResourceURLs: nonResourceURLs ?? [] });
  }
  return { resourceRules, nonResourceRules, incomplete: false };
}

/** What kubelets ask for the tokens that admission puts into pods. */
const podTokenSeconds = 3607;

/** What token requests, identity reviews and access reviews need of the server. */
export function definitionNeeds(
  parts: NeedsParts,
): TokenOptions & AuthenticationOptions & AuthorizationOptions {
  const { authorizer, policy, tokens, nodeUid } = parts;
  return {
    apiAudiences: tokens.apiAudiences,
    issueToken: ({ serviceAccount, audiences, expirationSeconds, boundObject, node }) => {
      const { namespace, name, uid } = serviceAccount;
      const extended =
        boundObject?.kind === 'Pod' &&
        expirationSeconds === podTokenSeconds &&
        audiences.every((audience) => tokens.apiAudiences.includes(audience));
      const { token } = tokens.issue({
        namespace,
        serviceAccount: { name, uid },
        audiences,
        expirationSeconds,
        extended,
        ...(boundObject ? { bound: boundObject } : {}),
        ...(node ? { node: { name: node.name, uid: node.uid ?? nodeUid(node.name) } } : {}),
      });
      return Promise.resolve(token);
    },
    authenticateToken: async (token, audiences) => {
      const verdict = await parts.authenticateToken(
        token,
        audiences.length > 0 ? audiences : tokens.apiAudiences,
      );
      if (!('errors' in verdict)) return { user: verdict.user, audiences: verdict.audiences };
      return { error: aggregate(['invalid bearer token', ...verdict.errors]) };
    },
    authorize: (request) => {
      const { allowed, reason } = authorizer.authorize(request.user, attributesOf(request));
      return Promise.resolve({ allowed, ...(reason === '' ? {} : { reason }) });
    },
    rulesFor: (user, namespace) => {
      const rules = userRules(policy, user, namespace);
      if (nodeName(user) === undefined) return Promise.resolve(rules);
      const evaluationError = 'node authorizer does not support user rule resolution';
      return Promise.resolve({ ...rules, incomplete: true, evaluationError });
    },
  };
}
