import type { DeepMutable } from '../../machinery/object.ts';
import type { HTTPIngressPath, Ingress, IngressBackend, IngressRule } from '../networking/v1.gen.ts';
import type { Form, LegacyForm } from './legacy-version.ts';

interface OldBackend {
  serviceName?: string;
  servicePort?: number | string;
  resource?: DeepMutable<IngressBackend>['resource'];
}

interface OldPath extends Omit<DeepMutable<HTTPIngressPath>, 'backend' | 'pathType'> {
  backend: OldBackend;
  pathType?: string;
}

interface OldRule extends Omit<DeepMutable<IngressRule>, 'http'> {
  http?: { paths: OldPath[] };
}

interface OldSpec extends Omit<DeepMutable<Ingress>['spec'] & object, 'defaultBackend' | 'rules'> {
  backend?: OldBackend;
  rules?: OldRule[];
}

function newBackend({ serviceName, servicePort, resource }: OldBackend): DeepMutable<IngressBackend> {
  const named = typeof servicePort === 'string' && servicePort !== '';
  const numbered = typeof servicePort === 'number' && servicePort !== 0;
  const port = named ? { name: servicePort } : numbered ? { number: servicePort } : {};
  return {
    ...((serviceName || named || numbered) && { service: { name: serviceName ?? '', port } }),
    ...(resource && { resource }),
  };
}

function oldBackend({ service, resource }: DeepMutable<IngressBackend>): OldBackend {
  const port = service?.port?.name || service?.port?.number;
  return {
    ...(service && { serviceName: service.name }),
    ...(port !== undefined && { servicePort: port }),
    ...(resource && { resource }),
  };
}

function defaultPaths(object: Form): void {
  const { rules = [] } = (object.spec ?? {}) as OldSpec;
  for (const path of rules.flatMap(({ http }) => http?.paths ?? [])) {
    path.pathType ??= 'ImplementationSpecific';
  }
}

function ingressToStored(object: Form): void {
  const { backend, rules, ...others } = (object.spec ?? {}) as OldSpec;
  object.spec = {
    ...others,
    ...(backend && { defaultBackend: newBackend(backend) }),
    ...(rules && {
      rules: rules.map(({ http, ...rule }) => ({
        ...rule,
        ...(http && {
          http: { paths: http.paths.map((path) => ({ ...path, backend: newBackend(path.backend) })) },
        }),
      })),
    }),
  };
}

function ingressFromStored(object: Form): void {
  const { defaultBackend, rules, ...others } = (object.spec ?? {}) as DeepMutable<Ingress>['spec'] & object;
  object.spec = {
    ...others,
    ...(defaultBackend && { backend: oldBackend(defaultBackend) }),
    ...(rules && {
      rules: rules.map(({ http, ...rule }) => ({
        ...rule,
        ...(http && {
          http: { paths: http.paths.map((path) => ({ ...path, backend: oldBackend(path.backend) })) },
        }),
      })),
    }),
  };
}

const ingress = { defaults: defaultPaths, toStored: ingressToStored, fromStored: ingressFromStored };
const extensions = { group: 'extensions', version: 'v1beta1', from: 'io.k8s.api.extensions.v1beta1' };
const networking = {
  group: 'networking.k8s.io',
  version: 'v1beta1',
  from: 'io.k8s.api.networking.v1beta1',
  deprecated: 19,
  removed: 22,
};

export const ingressForms: readonly LegacyForm[] = [
  { ...extensions, deprecated: 14, removed: 22, ...ingress },
  { ...networking, ...ingress },
];

export const ingressClassForms: readonly LegacyForm[] = [networking];

export const networkPolicyForms: readonly LegacyForm[] = [{ ...extensions, deprecated: 9, removed: 16 }];
