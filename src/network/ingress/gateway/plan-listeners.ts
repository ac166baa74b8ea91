import type { Secret } from '../../../api/core/v1.gen.ts';
import type { Live } from '../../../machinery/object.ts';
import { planCertificate } from '../plan-certificate.ts';
import type { ProxyCertificate } from '../proxy/proxy-configuration.ts';
import {
  gatewayGroup,
  type Gateway,
  type Listener,
  type ReferenceGrant,
  type SecretRef,
} from './gateway-api.ts';
import { tableHost } from './hostnames.ts';
import { isGranted } from './reference-grants.ts';

/** A condition without its times. */
export interface PlannedCondition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
}

export interface PlannedListener {
  readonly listener: Listener;
  /** Kinds of routes that may attach. */
  readonly kinds: readonly string[];
  /** Whether requests are taken there. */
  readonly usable: boolean;
  readonly certificates: readonly ProxyCertificate[];
  readonly conditions: readonly PlannedCondition[];
}

export interface ListenerWorld {
  readonly grants: readonly ReferenceGrant[];
  secret(namespace: string, name: string): Secret | undefined;
}

const routeKinds = ['HTTPRoute', 'GRPCRoute'];

/** What becomes of the listeners of a Gateway. */
export function planListeners(gateway: Live<Gateway>, world: ListenerWorld): readonly PlannedListener[] {
  const { listeners } = gateway.spec;
  return listeners.map((listener) => {
    const supported = listener.protocol === 'HTTP' || listener.protocol === 'HTTPS';
    const accepted: PlannedCondition = supported
      ? condition('Accepted', 'True', 'Accepted', 'the listener is accepted')
      : condition(
          'Accepted',
          'False',
          'UnsupportedProtocol',
          `protocol ${listener.protocol} is not served, HTTP and HTTPS are`,
        );
    const conflicted = conflictOf(listener, listeners);
    const { kinds, invalid } = kindsOf(listener, supported);
    const { certificates, problem } = certificatesOf(gateway, listener, world);
    const resolved = invalid
      ? condition('ResolvedRefs', 'False', 'InvalidRouteKinds', invalid)
      : (problem ?? condition('ResolvedRefs', 'True', 'ResolvedRefs', 'all references are resolved'));
    const usable =
      supported && conflicted.status === 'False' && (listener.protocol === 'HTTP' || certificates.length > 0);
    const programmed = usable && resolved.status === 'True';
    return {
      listener,
      kinds,
      usable,
      certificates,
      conditions: [
        conflicted.status === 'True'
          ? condition('Accepted', 'False', conflicted.reason, conflicted.message)
          : accepted,
        conflicted,
        resolved,
        programmed
          ? condition('Programmed', 'True', 'Programmed', 'the listener takes requests')
          : condition('Programmed', 'False', 'Invalid', 'the listener is not valid'),
      ],
    };
  });
}

export function condition(
  type: string,
  status: PlannedCondition['status'],
  reason: string,
  message: string,
): PlannedCondition {
  return { type, status, reason, message };
}

function conflictOf(listener: Listener, all: readonly Listener[]): PlannedCondition {
  const others = all.filter((one) => one !== listener && one.port === listener.port);
  if (others.some(({ protocol }) => protocol !== listener.protocol))
    return condition(
      'Conflicted',
      'True',
      'ProtocolConflict',
      `listeners of other protocols have port ${listener.port}`,
    );
  if (others.some(({ hostname = '' }) => hostname === (listener.hostname ?? '')))
    return condition(
      'Conflicted',
      'True',
      'HostnameConflict',
      'another listener has the same port and hostname',
    );
  return condition('Conflicted', 'False', 'NoConflicts', 'no other listener is in its way');
}

function kindsOf(
  { allowedRoutes }: Listener,
  supported: boolean,
): { readonly kinds: readonly string[]; readonly invalid?: string } {
  if (!supported) return { kinds: [] };
  const asked = allowedRoutes?.kinds ?? [];
  if (asked.length === 0) return { kinds: routeKinds };
  const isKnown = ({
    group = gatewayGroup,
    kind,
  }: {
    readonly group?: string;
    readonly kind: string;
  }): boolean => group === gatewayGroup && routeKinds.includes(kind);
  const unknown = asked.filter((one) => !isKnown(one)).map(({ kind }) => kind);
  const kinds = asked.filter(isKnown).map(({ kind }) => kind);
  return unknown.length > 0
    ? {
        kinds,
        invalid: `${unknown.join(', ')} cannot attach to this listener; ${routeKinds.join(' and ')} can`,
      }
    : { kinds };
}

function certificatesOf(
  gateway: Live<Gateway>,
  { hostname = '', protocol, tls }: Listener,
  world: ListenerWorld,
): { readonly certificates: readonly ProxyCertificate[]; readonly problem?: PlannedCondition } {
  if (protocol !== 'HTTPS') return { certificates: [] };
  const certificates: ProxyCertificate[] = [];
  let problem: PlannedCondition | undefined;
  for (const ref of tls?.certificateRefs ?? []) {
    const plan = readRef(gateway, ref, world);
    if ('type' in plan) problem ??= plan;
    else certificates.push({ hosts: hostname === '' ? [] : [tableHost(hostname)], ...plan });
  }
  if (certificates.length === 0 && !problem)
    problem = condition(
      'ResolvedRefs',
      'False',
      'InvalidCertificateRef',
      'the listener names no certificate',
    );
  return { certificates, ...(problem && { problem }) };
}

function readRef(
  { metadata }: Live<Gateway>,
  ref: SecretRef,
  world: ListenerWorld,
): { readonly cert: string; readonly key: string } | PlannedCondition {
  const invalid = (reason: string, message: string): PlannedCondition =>
    condition('ResolvedRefs', 'False', reason, message);
  const { group = '', kind = 'Secret', name } = ref;
  const own = metadata.namespace ?? 'default';
  const namespace = ref.namespace ?? own;
  if (group !== '' || kind !== 'Secret')
    return invalid(
      'InvalidCertificateRef',
      `certificates are Secrets, not ${kind}${group === '' ? '' : `.${group}`}`,
    );
  const granted = isGranted(world.grants, {
    from: { kind: 'Gateway', namespace: own },
    to: { group, kind, namespace, name },
  });
  if (!granted)
    return invalid(
      'RefNotPermitted',
      `no ReferenceGrant lets Gateways of ${own} refer to Secret ${namespace}/${name}`,
    );
  const secret = world.secret(namespace, name);
  if (!secret) return invalid('InvalidCertificateRef', `there is no Secret ${namespace}/${name}`);
  const plan = planCertificate(secret);
  return 'problem' in plan
    ? invalid('InvalidCertificateRef', `Secret ${namespace}/${name} is of no use: ${plan.problem}`)
    : plan;
}
