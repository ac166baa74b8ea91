import type { UserInfo } from '../../api/resource.ts';

/** Whom a token stands for, with what is to be said of its use, or why it stands for nobody. */
export type TokenResult =
  | {
      readonly user: UserInfo;
      /** Those of the wanted audiences that the token is good for. */
      readonly audiences: readonly string[];
      /** For the `Warning` header. */
      readonly warning?: string;
      readonly auditAnnotations?: Readonly<Record<string, string>>;
    }
  | {
      readonly error: string;
      /** It was good until somebody marked it as invalid. */
      readonly isMarkedInvalid?: true;
    };

/** Knows one sort of bearer tokens. Undefined: the token is of another sort. */
export interface TokenAuthenticator {
  authenticate(
    token: string,
    audiences: readonly string[],
  ): TokenResult | undefined | Promise<TokenResult | undefined>;
}

/** What all authenticators together say of a token: the first user, else every reason against it. */
export type TokenVerdict =
  | Exclude<TokenResult, { readonly error: string }>
  | { readonly errors: readonly string[] };

/** Asks the authenticators in order until one knows the user. Answers at once unless one of them has to ask somebody else. */
export function createTokenUnion(
  authenticators: readonly TokenAuthenticator[],
): (token: string, audiences: readonly string[]) => TokenVerdict | Promise<TokenVerdict> {
  return (token, audiences) => ask(authenticators, 0, { token, audiences, errors: [] });
}

interface Question {
  readonly token: string;
  readonly audiences: readonly string[];
  readonly errors: string[];
}

function ask(
  authenticators: readonly TokenAuthenticator[],
  at: number,
  question: Question,
): TokenVerdict | Promise<TokenVerdict> {
  const authenticator = authenticators[at];
  if (!authenticator) return { errors: question.errors };
  const weigh = (result: TokenResult | undefined): TokenVerdict | Promise<TokenVerdict> => {
    if (result && !('error' in result)) return result;
    if (result) question.errors.push(result.error);
    return ask(authenticators, at + 1, question);
  };
  const result = authenticator.authenticate(question.token, question.audiences);
  return result instanceof Promise ? result.then(weigh) : weigh(result);
}
