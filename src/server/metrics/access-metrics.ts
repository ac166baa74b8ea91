import type { Clock } from '../../base/clock.ts';
import { exponentialBuckets } from '../../base/metrics/histogram.ts';
import type { Value } from '../../base/metrics/counter.ts';
import type { MetricRegistry } from '../../base/metrics/registry.ts';
import type { Identity, RequestCredentials } from '../auth/authenticate.ts';
import type { Authorizer } from '../auth/authorizer.ts';
import type { TokenAuthenticator, TokenResult } from '../auth/token-authenticator.ts';
import type { ImpersonationObserver } from '../auth/impersonation.ts';

const buckets = exponentialBuckets(0.001, 2, 15);

type Authenticate = (credentials: RequestCredentials) => Identity | Promise<Identity>;

/** The authenticator, with its attempts counted and timed. */
export function measuredAuthenticator(
  authenticate: Authenticate,
  registry: MetricRegistry,
  clock: Clock,
): Authenticate {
  const attempts = registry.counter({
    name: 'authentication_attempts',
    help: '[ALPHA] Attempts to establish who sends a request, by result.',
    labels: ['result'],
  });
  const durations = registry.histogram({
    name: 'authentication_duration_seconds',
    help: '[ALPHA] How long it takes to establish who sends a request, in seconds.',
    labels: ['result'],
    buckets,
  });
  const users = registry.counter({
    name: 'authenticated_user_requests',
    help: '[ALPHA] Requests whose sender is known, by well-known user.',
    labels: ['username'],
  });
  const expirations = registry
    .histogram({
      name: 'apiserver_client_certificate_expiration_seconds',
      help: "[ALPHA] For how long the clients' certificates with which requests are sent are still good, in seconds.",
      buckets: [
        0, 1800, 3600, 7200, 21_600, 43_200, 86_400, 172_800, 345_600, 604_800, 2_592_000, 7_776_000,
        15_552_000, 31_104_000,
      ],
    })
    .labels();
  const ends = {
    success: { count: attempts.labels('success'), duration: durations.labels('success') },
    error: { count: attempts.labels('error'), duration: durations.labels('error') },
  };
  const note = (result: keyof typeof ends, startedAt: number): void => {
    ends[result].count.add();
    ends[result].duration.observe((clock.monotonic() - startedAt) / 1000);
  };
  const known = (identity: Identity, startedAt: number): Identity => {
    note('success', startedAt);
    users.labels(wellKnown(identity.user.name)).add();
    return identity;
  };
  return (credentials) => {
    const startedAt = clock.monotonic();
    const { certificate } = credentials;
    if (certificate !== undefined && certificate !== 'untrusted' && certificate.expiresAt !== undefined)
      expirations.observe((certificate.expiresAt - clock.now()) / 1000);
    try {
      const identity = authenticate(credentials);
      if (!(identity instanceof Promise)) return known(identity, startedAt);
      return identity.then(
        (established) => known(established, startedAt),
        (error: unknown) => {
          note('error', startedAt);
          throw error;
        },
      );
    } catch (error) {
      note('error', startedAt);
      throw error;
    }
  };
}

function wellKnown(name: string): string {
  return ['admin', 'system:anonymous', 'system:kube-controller-manager', 'system:kube-scheduler'].includes(
    name,
  )
    ? name
    : 'other';
}

/** The authorizer, with its decisions counted and timed. */
export function measuredAuthorizer(
  authorizer: Authorizer,
  registry: MetricRegistry,
  clock: Clock,
): Authorizer {
  const attempts = registry.counter({
    name: 'authorization_attempts_total',
    help: '[ALPHA] Decisions on requests, by result.',
    labels: ['result'],
  });
  const durations = registry.histogram({
    name: 'authorization_duration_seconds',
    help: '[ALPHA] How long decisions on requests take, in seconds.',
    labels: ['result'],
    buckets,
  });
  const decisions = registry.counter({
    name: 'apiserver_authorization_decisions_total',
    help: '[ALPHA] Final decisions, by the authorizer that made them.',
    labels: ['type', 'name', 'decision'],
  });
  const allowed = {
    count: attempts.labels('allowed'),
    duration: durations.labels('allowed'),
    node: decisions.labels('Node', 'node', 'allowed'),
    rbac: decisions.labels('RBAC', 'rbac', 'allowed'),
  };
  const refused = { count: attempts.labels('no-opinion'), duration: durations.labels('no-opinion') };
  return {
    authorize(user, attributes) {
      const startedAt = clock.monotonic();
      const decision = authorizer.authorize(user, attributes);
      const series = decision.allowed ? allowed : refused;
      series.count.add();
      series.duration.observe((clock.monotonic() - startedAt) / 1000);
      if (decision.allowed) (decision.by === 'node' ? allowed.node : allowed.rbac).add();
      return decision;
    },
  };
}

/** Counts and times attempts to act as somebody else, and the questions about them. */
export function impersonationMetrics(registry: MetricRegistry, clock: Clock): ImpersonationObserver {
  const labels = ['mode', 'decision'];
  const noted = (name: string, what: string): ImpersonationObserver['attempted'] => {
    const total = registry.counter({
      name: `apiserver_impersonation_${name}_total`,
      help: `[ALPHA] ${what}, by mode and decision.`,
      labels,
    });
    const durations = registry.histogram({
      name: `apiserver_impersonation_${name}_duration_seconds`,
      help: `[ALPHA] How long they take: ${what.toLowerCase()}, in seconds.`,
      labels,
      buckets,
    });
    return (mode, decision, since) => {
      total.labels(mode, decision).add();
      durations.labels(mode, decision).observe((clock.monotonic() - since) / 1000);
    };
  };
  return {
    now: () => clock.monotonic(),
    attempted: noted('attempts', 'Attempts to act as somebody else'),
    authorized: noted('authorization_attempts', 'Questions whether somebody may act as somebody else'),
  };
}

/** The token authenticator of service accounts, with the use of its tokens counted by their kind. */
export function measuredAccountTokens(
  authenticator: TokenAuthenticator,
  registry: MetricRegistry,
): TokenAuthenticator {
  const counter = (name: string, help: string): Value =>
    registry.counter({ name, help: `[ALPHA] ${help}` }).labels();
  const valid = counter('serviceaccount_valid_tokens_total', 'Uses of tokens that have an end.');
  const stale = counter('serviceaccount_stale_tokens_total', 'Uses of tokens that should have been renewed.');
  const made = counter(
    'serviceaccount_legacy_auto_token_uses_total',
    'Uses of tokens that were made with an account.',
  );
  const manual = counter(
    'serviceaccount_legacy_manual_token_uses_total',
    'Uses of tokens in secrets that somebody made.',
  );
  const legacy = counter('serviceaccount_legacy_tokens_total', 'Uses of tokens that have no end.');
  const invalid = counter(
    'serviceaccount_invalid_legacy_auto_token_uses_total',
    'Uses of tokens that were made with an account and are marked as invalid.',
  );
  const note = (result: TokenResult | undefined): TokenResult | undefined => {
    if (!result) return result;
    if ('error' in result) {
      if (result.isMarkedInvalid) invalid.add();
      return result;
    }
    const { auditAnnotations = {}, warning } = result;
    if ('authentication.k8s.io/legacy-token' in auditAnnotations) {
      legacy.add();
      (warning === undefined ? manual : made).add();
    } else if ('authentication.k8s.io/stale-token' in auditAnnotations) stale.add();
    else valid.add();
    return result;
  };
  return {
    authenticate(token, audiences) {
      const result = authenticator.authenticate(token, audiences);
      return result instanceof Promise ? result.then(note) : note(result);
    },
  };
}
