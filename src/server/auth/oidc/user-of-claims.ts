import type { UserInfo } from '../../../api/resource.ts';
import type { ClaimSource, JwtIssuer } from './authentication-configuration.ts';
import { textOf, textsOf, type ClaimExpression, type ClaimExpressions } from './claim-expressions.ts';

/** The claims of a verified token. */
export type Claims = Readonly<Record<string, unknown>>;

/** Turns the claims of an issuer's tokens into users. Compiles the expressions: throws `CelCompileError`. */
export function createUserOfClaims(
  { claimMappings, claimValidationRules = [], userValidationRules = [] }: JwtIssuer,
  expressions: ClaimExpressions,
): (claims: Claims) => UserInfo {
  const overClaims = (source: string): ClaimExpression => expressions.compile(source, 'claims');
  const compiled = (source: ClaimSource | undefined): ClaimExpression | undefined =>
    source?.expression === undefined ? undefined : overClaims(source.expression);
  const { username, groups, uid, extra = [] } = claimMappings;
  const named = { username: compiled(username), groups: compiled(groups), uid: compiled(uid) };
  const extras = extra.map(({ key, valueExpression }) => ({ key, read: overClaims(valueExpression) }));
  const claimRules = claimValidationRules.map((rule) => ({
    ...rule,
    check: rule.expression === undefined ? undefined : overClaims(rule.expression),
  }));
  const userRules = userValidationRules.map(({ expression, message }) => ({
    message: message ?? `validation expression '${expression}' failed`,
    check: expressions.compile(expression, 'user'),
  }));

  return (claims) => {
    for (const { claim, requiredValue = '', check, message, expression } of claimRules) {
      if (check) {
        if (check(claims) !== true)
          throw new Error(`oidc: ${message ?? `validation expression '${expression}' failed`}`);
      } else if (claim !== undefined) requireClaim(claims, claim, requiredValue);
    }
    const groupNames = named.groups
      ? textsOf(named.groups(claims))
      : groups?.claim
        ? listClaim(claims, groups.claim).map((group) => `${groups.prefix ?? ''}${group}`)
        : [];
    const uidText = named.uid
      ? textOf(named.uid(claims))
      : uid?.claim
        ? textClaim(claims, uid.claim)
        : undefined;
    const extraValues = extras
      .map(({ key, read }): [string, string[]] => [
        key,
        textsOf(read(claims)).filter((value) => value !== ''),
      ])
      .filter(([, values]) => values.length > 0);
    const user: UserInfo = {
      name: named.username ? expressionName(named.username, claims) : claimName(claims, username),
      groups: [...new Set([...groupNames, 'system:authenticated'])],
      ...(uidText ? { uid: uidText } : {}),
      ...(extraValues.length > 0 ? { extra: Object.fromEntries(extraValues) } : {}),
    };
    const shown = {
      username: user.name,
      uid: user.uid ?? '',
      groups: groupNames,
      extra: user.extra ?? {},
    };
    for (const { check, message } of userRules) {
      if (check(shown) !== true)
        throw new Error(`oidc: error evaluating user info validation rule: ${message}`);
    }
    return user;
  };
}

function expressionName(read: ClaimExpression, claims: Claims): string {
  const name = textOf(read(claims));
  if (!name) throw new Error('oidc: username expression must not be empty');
  return name;
}

/** An address counts only when the issuer says that it was verified, or does not say. */
function claimName(claims: Claims, { claim = '', prefix = '' }: ClaimSource): string {
  const name = textClaim(claims, claim);
  if (claim === 'email' && 'email_verified' in claims && claims['email_verified'] !== true)
    throw new Error('oidc: email not verified');
  if (name === undefined)
    throw new Error(`oidc: parse username claims ${JSON.stringify(claim)}: claim not present`);
  return `${prefix}${name}`;
}

function textClaim(claims: Claims, claim: string): string | undefined {
  const value = Object.hasOwn(claims, claim) ? claims[claim] : undefined;
  if (value === undefined || typeof value === 'string') return value;
  throw new Error(`oidc: parse claim ${JSON.stringify(claim)}: must be a string`);
}

function listClaim(claims: Claims, claim: string): string[] {
  const value = Object.hasOwn(claims, claim) ? claims[claim] : undefined;
  if (value === undefined) return [];
  if (typeof value === 'string') return [value];
  if (Array.isArray(value) && value.every((one) => typeof one === 'string')) return value;
  throw new Error(`oidc: parse groups claim ${JSON.stringify(claim)}: must be a string or a list of strings`);
}

function requireClaim(claims: Claims, claim: string, wanted: string): void {
  if (!Object.hasOwn(claims, claim)) throw new Error(`oidc: required claim ${claim} not present in ID token`);
  const value = textClaim(claims, claim);
  if (value !== wanted)
    throw new Error(`oidc: required claim ${claim} value does not match. Got = ${value}, want = ${wanted}`);
}
