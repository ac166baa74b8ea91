import type { IncomingHttpHeaders } from 'node:http';
import type { UserInfo } from '../../api/resource.ts';
import { newBadRequest } from '../../machinery/status/errors.ts';
import { StatusError } from '../../machinery/status-error.ts';
import { authorizeRequest } from '../authorize-request.ts';
import type { Attributes, Authorizer } from './authorizer.ts';
import { checkFields, type Mode } from './impersonation-fields.ts';

/** Who acts as somebody else, and under which rule; the rule is empty for the verb `impersonate`. */
export interface Impersonated {
  readonly user: UserInfo;
  readonly constraint: string;
}

type Verdict = 'allowed' | 'denied';

/** Hears of attempts to act as somebody else. */
export interface ImpersonationObserver {
  /** On a clock of its own, in milliseconds. */
  now(): number;
  /** An attempt that began at `since`; the mode is empty when none allows it. */
  attempted(mode: string, decision: Verdict, since: number): void;
  /** A question about it that the authorizer has answered. */
  authorized(mode: string, decision: Verdict, since: number): void;
}

/** Requesters whose last successful mode is known. */
const knownLimit = 1024;

/**
 * Applies `Impersonate-User`, `-Group`, `-Uid` and `-Extra-…`: one of the constrained modes of KEP-5284 (the requester may
 * `impersonate:MODE` the user, and `impersonate-on:MODE:VERB` what is requested), else the verb `impersonate`.
 */
export function createImpersonation(
  authorizer: Authorizer,
  observer?: ImpersonationObserver,
): (requester: UserInfo, headers: IncomingHttpHeaders, attributes: Attributes) => Impersonated | undefined {
  const lastModes = new Map<string, Mode>();
  const asking = new Map(modes.map((mode) => [mode, observedAuthorizer(authorizer, nameOf(mode), observer)]));
  return (requester, headers, attributes) => {
    const wanted = wantedUser(headers);
    if (!wanted) return undefined;
    const since = observer?.now() ?? 0;
    const key = JSON.stringify(requester);
    const last = lastModes.get(key);
    const order = last !== undefined ? [last, ...modes.filter((mode) => mode !== last)] : modes;
    let refusal: StatusError | undefined;
    for (const mode of order) {
      if (!applies(mode, wanted, requester)) continue;
      try {
        const user = tryMode(asking.get(mode) ?? authorizer, mode, { requester, wanted, attributes });
        if (lastModes.size >= knownLimit) lastModes.clear();
        lastModes.set(key, mode);
        observer?.attempted(nameOf(mode), 'allowed', since);
        return { user, constraint: mode === '' ? '' : `impersonate:${mode}` };
      } catch (error) {
        if (!(error instanceof StatusError)) throw error;
        refusal ??= error;
      }
    }
    observer?.attempted('', 'denied', since);
    throw refusal ?? newBadRequest('all impersonation modes failed');
  };
}

function nameOf(mode: Mode): string {
  return mode || 'legacy';
}

function observedAuthorizer(
  authorizer: Authorizer,
  mode: string,
  observer: ImpersonationObserver | undefined,
): Authorizer {
  if (!observer) return authorizer;
  return {
    authorize(user, attributes) {
      const since = observer.now();
      const decision = authorizer.authorize(user, attributes);
      observer.authorized(mode, decision.allowed ? 'allowed' : 'denied', since);
      return decision;
    },
  };
}

const modes: readonly Mode[] = ['associated-node', 'arbitrary-node', 'serviceaccount', 'user-info', ''];

interface Attempt {
  readonly requester: UserInfo;
  readonly wanted: UserInfo;
  readonly attributes: Attributes;
}

function tryMode(authorizer: Authorizer, mode: Mode, { requester, wanted, attributes }: Attempt): UserInfo {
  const asking = mode === 'associated-node' ? withoutExtraValues(requester) : requester;
  if (mode !== '') {
    const verb = `impersonate-on:${mode}:${attributes.verb}`;
    authorizeRequest(authorizer, asking, { ...attributes, verb });
  }
  return checkFields(authorizer, mode, { requester: asking, wanted });
}

/** A service account on a node asks the same whatever node it is. */
function withoutExtraValues(requester: UserInfo): UserInfo {
  const keys = Object.keys(requester.extra ?? {}).sort();
  return { ...requester, extra: { 'authentication.kubernetes.io/associated-node-keys': keys } };
}

function applies(mode: Mode, wanted: UserInfo, requester: UserInfo): boolean {
  const onlyName =
    wanted.uid === undefined && wanted.groups.length === 0 && Object.keys(wanted.extra ?? {}).length === 0;
  const node = nodeOf(wanted.name);
  switch (mode) {
    case 'associated-node': {
      const own = requester.extra?.['authentication.kubernetes.io/node-name'] ?? [];
      return (
        onlyName && node !== undefined && isAccount(requester.name) && own.length === 1 && own[0] === node
      );
    }
    case 'arbitrary-node':
      return onlyName && node !== undefined;
    case 'serviceaccount':
      return onlyName && isAccount(wanted.name);
    case 'user-info':
      return node === undefined && !isAccount(wanted.name);
    default:
      return true;
  }
}

function nodeOf(name: string): string | undefined {
  return /^system:node:([a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?)$/.exec(name)?.[1];
}

function isAccount(name: string): boolean {
  return /^system:serviceaccount:[^:]+:[^:]+$/.test(name);
}

const extraPrefix = 'impersonate-extra-';

/** Who the headers name, as they name it; undefined when they name nobody. */
function wantedUser(headers: IncomingHttpHeaders): UserInfo | undefined {
  if (!isImpersonating(headers)) return undefined;
  const name = first(headers['impersonate-user']);
  const groups = all(headers['impersonate-group'])
    .flatMap((value) => value.split(','))
    .map((value) => value.trim());
  const uid = first(headers['impersonate-uid']);
  const extra: Record<string, readonly string[]> = {};
  for (const [header, value] of Object.entries(headers)) {
    if (!header.startsWith(extraPrefix)) continue;
    // Node.js joins headers that are sent several times.
    extra[unescaped(header.slice(extraPrefix.length))] = all(value).flatMap((joined) => joined.split(', '));
  }
  const hasExtra = Object.keys(extra).length > 0;
  if (name) return { name, groups, ...(uid ? { uid } : {}), ...(hasExtra ? { extra } : {}) };
  if (groups.length === 0 && !uid && !hasExtra) return undefined;
  const listed =
    groups.length === 0
      ? '[]string(nil)'
      : `[]string{${groups.map((group) => JSON.stringify(group)).join(', ')}}`;
  const values = Object.entries(extra).map(
    ([key, texts]) =>
      `${JSON.stringify(key)}:[]string{${texts.map((one) => JSON.stringify(one)).join(', ')}}`,
  );
  const mapped = hasExtra ? `map[string][]string{${values.join(', ')}}` : 'map[string][]string(nil)';
  throw newBadRequest(
    `requested &user.DefaultInfo{Name:"", UID:${JSON.stringify(uid ?? '')}, Groups:${listed}, Extra:${mapped}} without impersonating a user name`,
  );
}

function isImpersonating(headers: IncomingHttpHeaders): boolean {
  for (const header in headers) if (header.startsWith('impersonate-')) return true;
  return false;
}

/** A key that is not percent-encoded rightly is taken as it is. */
function unescaped(key: string): string {
  return /%(?![0-9a-f]{2})/i.test(key) ? key : Buffer.from(unescape(key), 'latin1').toString();
}

function unescape(key: string): string {
  return key.replaceAll(/%([0-9a-f]{2})/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

function all(value: string | readonly string[] | undefined): readonly string[] {
  if (value === undefined) return [];
  return typeof value === 'string' ? [value] : value;
}

function first(value: string | readonly string[] | undefined): string | undefined {
  return all(value)[0];
}
