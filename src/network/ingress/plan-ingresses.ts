import type { Secret, Service } from '../../api/core/v1.gen.ts';
import type { Ingress, IngressBackend, IngressClass } from '../../api/networking/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import { planCertificate } from './plan-certificate.ts';
import type { PathMatch, ProxyCertificate, Route } from './proxy/proxy-configuration.ts';
import { portOf, upstreamName, type UpstreamRef } from './service-upstream.ts';

/** What IngressClasses name as their controller when this one serves them. */
export const ingressController: string = 'kanoe.io/ingress';

export interface IngressWorld {
  readonly ingresses: readonly Live<Ingress>[];
  readonly classes: readonly Live<IngressClass>[];
  service(namespace: string, name: string): Service | undefined;
  secret(namespace: string, name: string): Secret | undefined;
}

export interface IngressPlan {
  /** Those that are served, oldest first. */
  readonly served: readonly Live<Ingress>[];
  /** In order of precedence within each host. */
  readonly routes: readonly Route[];
  readonly certificates: readonly ProxyCertificate[];
  readonly upstreams: readonly UpstreamRef[];
  readonly problems: readonly IngressProblem[];
}

/** Something in an Ingress that cannot be done. */
export interface IngressProblem {
  readonly ingress: Live<Ingress>;
  readonly reason: string;
  readonly message: string;
}

const classAnnotation = 'kubernetes.io/ingress.class';
const isDefaultAnnotation = 'ingressclass.kubernetes.io/is-default-class';

/** Whether an Ingress is this controller's: by its class, by the annotation of old, or as one without any when ours is the default. */
export function isServed(ingress: Ingress, classes: readonly IngressClass[]): boolean {
  const { metadata, spec } = ingress;
  const ours = classes.filter((one) => one.spec.controller === ingressController);
  const asked = spec.ingressClassName ?? metadata.annotations?.[classAnnotation];
  if (asked !== undefined && asked !== '') return ours.some((one) => one.metadata.name === asked);
  return ours.some((one) => one.metadata.annotations?.[isDefaultAnnotation] === 'true');
}

interface Candidate {
  readonly route: Route;
  readonly rank: number;
  readonly length: number;
}

/**
 * What the Ingresses of this controller ask for, by `networking.k8s.io/v1`: for each host the longest path first, Exact
 * before Prefix, then the older Ingress; default backends come after all rules.
 */
export function planIngresses(world: IngressWorld): IngressPlan {
  const served = world.ingresses
    .filter((ingress) => ingress.metadata.deletionTimestamp === undefined && isServed(ingress, world.classes))
    .sort(byAge);
  const candidates: Candidate[] = [];
  const upstreams = new Map<string, UpstreamRef>();
  const certificates: ProxyCertificate[] = [];
  const problems: IngressProblem[] = [];

  for (const ingress of served) {
    const { namespace = 'default', name } = ingress.metadata;
    const problem = (reason: string, message: string): void =>
      void problems.push({ ingress, reason, message });
    const add = (host: string, path: PathMatch, backend: IngressBackend, isDefault?: 'default'): void => {
      const ref = refOf(backend, problem);
      const upstream = ref && upstreamName(ref);
      if (ref && upstream !== undefined) upstreams.set(upstream, ref);
      candidates.push({
        rank: isDefault ? 2 : path.kind === 'exact' ? 0 : 1,
        length: isDefault ? -1 : path.value.length,
        route: {
          name: `Ingress/${namespace}/${name}`,
          host,
          match: { path },
          filters: {},
          backends: [upstream === undefined ? { weight: 1, status: 503 } : { upstream, weight: 1 }],
        },
      });
    };
    const refOf = (backend: IngressBackend, report: typeof problem): UpstreamRef | undefined => {
      const { service, resource } = backend;
      if (resource) {
        report(
          'UnsupportedBackend',
          `the backend ${resource.kind} ${resource.name} is a resource; only Services can be backends`,
        );
        return undefined;
      }
      const port = service?.port?.name || service?.port?.number;
      if (!service || port === undefined) return undefined;
      const target = world.service(namespace, service.name);
      if (!target) report('ServiceNotFound', `there is no Service ${namespace}/${service.name}`);
      else if (!portOf(target, port))
        report('ServicePortNotFound', `Service ${namespace}/${service.name} has no TCP port ${port}`);
      return { namespace, service: service.name, port };
    };
    const hosts = new Set<string>();
    for (const { host = '', http } of ingress.spec.rules ?? []) {
      hosts.add(host);
      for (const { path = '/', pathType, backend } of http?.paths ?? [])
        add(host, { kind: pathType === 'Exact' ? 'exact' : 'prefix', value: path || '/' }, backend);
      if (!http && ingress.spec.defaultBackend)
        add(host, { kind: 'prefix', value: '/' }, ingress.spec.defaultBackend);
    }
    const { defaultBackend } = ingress.spec;
    if (defaultBackend)
      for (const host of new Set([...hosts, '']))
        add(host, { kind: 'prefix', value: '/' }, defaultBackend, 'default');
    certificates.push(...certificatesOf(ingress, [...hosts], { world, problem }));
  }
  const routes = candidates
    .map((candidate, at) => ({ ...candidate, at }))
    .sort((a, b) => b.length - a.length || a.rank - b.rank || a.at - b.at)
    .map(({ route }) => route);
  return { served, routes, certificates, upstreams: [...upstreams.values()], problems: distinct(problems) };
}

function certificatesOf(
  { metadata, spec }: Live<Ingress>,
  ruleHosts: readonly string[],
  { world, problem }: { readonly world: IngressWorld; problem(reason: string, message: string): void },
): readonly ProxyCertificate[] {
  const { namespace = 'default' } = metadata;
  return (spec.tls ?? []).flatMap(({ hosts = [], secretName }) => {
    if (!secretName) return [];
    const secret = world.secret(namespace, secretName);
    if (!secret) {
      problem(
        'SecretNotFound',
        `there is no Secret ${namespace}/${secretName}; a certificate of the cluster is shown instead`,
      );
      return [];
    }
    const plan = planCertificate(secret);
    if ('problem' in plan) {
      problem('InvalidCertificate', `Secret ${namespace}/${secretName} is of no use: ${plan.problem}`);
      return [];
    }
    const named = hosts.length > 0 ? hosts : ruleHosts.filter((host) => host !== '');
    return [{ hosts: named, ...plan }];
  });
}

function distinct(problems: readonly IngressProblem[]): readonly IngressProblem[] {
  const seen = new Set<string>();
  return problems.filter(({ ingress, message }) => {
    const key = `${ingress.metadata.uid} ${message}`;
    return !seen.has(key) && seen.add(key);
  });
}

function byAge({ metadata: a }: Live<Ingress>, { metadata: b }: Live<Ingress>): number {
  if (a.creationTimestamp !== b.creationTimestamp) return a.creationTimestamp < b.creationTimestamp ? -1 : 1;
  return `${a.namespace}/${a.name}` < `${b.namespace}/${b.name}` ? -1 : 1;
}
