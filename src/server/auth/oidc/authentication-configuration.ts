import { forbidden, invalid, required, type FieldError } from '../../../machinery/field-error.ts';
import { parseYaml } from '../../../machinery/yaml/parse-yaml.ts';

/** A claim, or an expression over all claims. */
export interface ClaimSource {
  readonly claim?: string;
  readonly prefix?: string;
  readonly expression?: string;
}

/** One issuer of OpenID Connect tokens, and how its claims become a user. */
export interface JwtIssuer {
  readonly issuer: {
    readonly url: string;
    readonly discoveryURL?: string;
    /** PEM. */
    readonly certificateAuthority?: string;
    readonly audiences: readonly string[];
    readonly audienceMatchPolicy?: string;
  };
  readonly claimValidationRules?: readonly {
    readonly claim?: string;
    readonly requiredValue?: string;
    readonly expression?: string;
    readonly message?: string;
  }[];
  readonly claimMappings: {
    readonly username: ClaimSource;
    readonly groups?: ClaimSource;
    readonly uid?: ClaimSource;
    readonly extra?: readonly { readonly key: string; readonly valueExpression: string }[];
  };
  readonly userValidationRules?: readonly { readonly expression: string; readonly message?: string }[];
}

/** `apiserver.config.k8s.io AuthenticationConfiguration`. */
export interface AuthenticationConfiguration {
  readonly jwt: readonly JwtIssuer[];
  readonly anonymous?: {
    readonly enabled: boolean;
    readonly conditions?: readonly { readonly path: string }[];
  };
}

/** A configuration that cannot be used; one line for each thing that is wrong. */
export class AuthenticationConfigurationError extends Error {
  override readonly name = 'AuthenticationConfigurationError';
  readonly code = 'AUTHENTICATION_CONFIGURATION';
}

const versions = ['v1', 'v1beta1', 'v1alpha1'].map((version) => `apiserver.config.k8s.io/${version}`);

/** Reads a configuration from YAML or JSON. Throws {@link AuthenticationConfigurationError} with everything that is wrong. */
export function parseAuthenticationConfiguration(text: string): AuthenticationConfiguration {
  const { value } = parseYaml(text);
  const raw = (
    typeof value === 'object' && value !== null ? value : {}
  ) as Partial<AuthenticationConfiguration> & {
    readonly apiVersion?: string;
    readonly kind?: string;
  };
  if (!versions.includes(raw.apiVersion ?? '') || raw.kind !== 'AuthenticationConfiguration')
    throw new AuthenticationConfigurationError(
      'apiVersion and kind must be apiserver.config.k8s.io/v1 and AuthenticationConfiguration',
    );
  const { jwt = [], anonymous } = raw;
  const errors = jwt.flatMap((issuer, at) => issuerErrors(issuer, `jwt[${at}]`));
  const urls = jwt.map(({ issuer }) => issuer?.url);
  urls.forEach((url, at) => {
    if (urls.indexOf(url) < at)
      errors.push(invalid(`jwt[${at}].issuer.url`, url, 'must be unique among the issuers'));
  });
  if (anonymous && !anonymous.enabled && (anonymous.conditions?.length ?? 0) > 0)
    errors.push(
      invalid(
        'anonymous.conditions',
        anonymous.conditions,
        'enabled should be set to true when conditions are defined',
      ),
    );
  if (errors.length > 0)
    throw new AuthenticationConfigurationError(
      errors.map(({ field, message }) => `${field}: ${message}`).join('\n'),
    );
  return { jwt, ...(anonymous ? { anonymous } : {}) };
}

function issuerErrors(
  { issuer, claimMappings, claimValidationRules = [] }: JwtIssuer,
  path: string,
): FieldError[] {
  const errors = urlErrors(issuer?.url ?? '', `${path}.issuer.url`);
  if (issuer?.discoveryURL) {
    errors.push(...urlErrors(issuer.discoveryURL, `${path}.issuer.discoveryURL`));
    if (issuer.discoveryURL === issuer.url)
      errors.push(
        invalid(
          `${path}.issuer.discoveryURL`,
          issuer.discoveryURL,
          'discoveryURL must be different from URL',
        ),
      );
  }
  const audiences = issuer?.audiences ?? [];
  if (audiences.length === 0)
    errors.push(required(`${path}.issuer.audiences`, 'at least one jwt[].issuer.audiences is required'));
  if (audiences.length > 1 && issuer?.audienceMatchPolicy !== 'MatchAny')
    errors.push(
      invalid(
        `${path}.issuer.audienceMatchPolicy`,
        issuer?.audienceMatchPolicy ?? '',
        'audienceMatchPolicy must be MatchAny for multiple audiences',
      ),
    );
  claimValidationRules.forEach(({ claim, expression }, at) => {
    const where = `${path}.claimValidationRules[${at}]`;
    if (claim && expression)
      errors.push(invalid(where, expression, "claim and expression can't both be set"));
    if (!claim && !expression) errors.push(required(where, 'claim or expression is required'));
  });
  return [...errors, ...mappingErrors(claimMappings, `${path}.claimMappings`)];
}

function mappingErrors(
  mappings: Partial<JwtIssuer['claimMappings']> | undefined,
  path: string,
): FieldError[] {
  const errors: FieldError[] = [];
  const { username, groups, uid } = mappings ?? {};
  if (!username?.claim && !username?.expression)
    errors.push(required(`${path}.username`, 'claim or expression is required'));
  for (const [name, source] of Object.entries({ username, groups, uid })) {
    if (!source) continue;
    if (source.claim && source.expression)
      errors.push(invalid(`${path}.${name}`, '', "claim and expression can't both be set"));
    if (name === 'uid') continue;
    if (source.claim && source.prefix === undefined)
      errors.push(
        required(
          `${path}.${name}.prefix`,
          'prefix is required when claim is set. It can be set to an empty string to disable prefixing',
        ),
      );
    if (source.expression && source.prefix !== undefined)
      errors.push(forbidden(`${path}.${name}.prefix`, "prefix can't be set when expression is set"));
  }
  return errors;
}

function urlErrors(text: string, path: string): FieldError[] {
  if (text === '') return [required(path, 'URL is required')];
  if (!URL.canParse(text)) return [invalid(path, text, 'must be a URL')];
  const url = new URL(text);
  const errors: FieldError[] = [];
  if (url.protocol !== 'https:') errors.push(invalid(path, text, 'URL scheme must be https'));
  if (url.username || url.password)
    errors.push(invalid(path, text, 'URL must not contain a username or password'));
  if (url.search) errors.push(invalid(path, text, 'URL must not contain a query'));
  if (url.hash) errors.push(invalid(path, text, 'URL must not contain a fragment'));
  return errors;
}
