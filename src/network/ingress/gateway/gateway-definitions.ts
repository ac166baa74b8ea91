import type { CustomResourceDefinition } from '../../../api/apiextensions/v1.gen.ts';
import { grpcRules, hostnames, httpRules, parentRefs, routeStatus } from './route-schemas.ts';
import {
  choice,
  conditions,
  domainPrefixedPath,
  group,
  hostname,
  integer,
  kind,
  labelSelector,
  list,
  mapList,
  name,
  namespace,
  object,
  pending,
  port,
  rules,
  sectionName,
  text,
  type SchemaPart,
} from './schema-parts.ts';

interface Definition {
  readonly kind: string;
  readonly plural: string;
  readonly shortNames?: readonly string[];
  readonly scope: 'Namespaced' | 'Cluster';
  readonly versions: readonly string[];
  /** Which of the versions is stored; default the first. */
  readonly stored?: string;
  readonly columns: readonly (readonly [name: string, jsonPath: string, priority?: number])[];
  readonly spec: SchemaPart;
  /** Absent: there is no status. */
  readonly status?: SchemaPart;
}

const parametersRef = object({ 'group!': group, 'kind!': kind, 'name!': name });
const classParametersRef = object({ 'group!': group, 'kind!': kind, 'name!': name, namespace });
const routeGroupKind = object({ group: { ...group, default: 'gateway.networking.k8s.io' }, 'kind!': kind });
const annotationValues: SchemaPart = {
  type: 'object',
  maxProperties: 16,
  additionalProperties: text({ minLength: 0, maxLength: 4096 }),
};

const listener = object({
  allowedRoutes: object(
    {
      kinds: list(routeGroupKind, 8),
      namespaces: object(
        { from: choice(['All', 'Selector', 'Same'], { default: 'Same' }), selector: labelSelector },
        { default: { from: 'Same' } },
      ),
    },
    { default: { namespaces: { from: 'Same' } } },
  ),
  hostname,
  'name!': sectionName,
  'port!': port,
  'protocol!': text({
    minLength: 1,
    maxLength: 255,
    pattern: `^[a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?$|[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\\/[A-Za-z0-9]+$`,
  }),
  tls: object(
    {
      certificateRefs: list(
        object({
          group: { ...group, default: '' },
          kind: { ...kind, default: 'Secret' },
          'name!': name,
          namespace,
        }),
        64,
      ),
      mode: choice(['Terminate', 'Passthrough'], { default: 'Terminate' }),
      options: annotationValues,
    },
    rules({
      message: 'certificateRefs or options must be specified when mode is Terminate',
      rule: "self.mode == 'Terminate' ? size(self.certificateRefs) > 0 || size(self.options) > 0 : true",
    }),
  ),
});

const listeners: SchemaPart = {
  ...mapList(listener, 64, ['name']),
  minItems: 1,
  ...rules(
    {
      message: "tls must not be specified for protocols ['HTTP', 'TCP', 'UDP']",
      rule: "self.all(l, l.protocol in ['HTTP', 'TCP', 'UDP'] ? !has(l.tls) : true)",
    },
    {
      message: 'tls mode must be Terminate for protocol HTTPS',
      rule: "self.all(l, (l.protocol == 'HTTPS' && has(l.tls)) ? (l.tls.mode == '' || l.tls.mode == 'Terminate') : true)",
    },
    {
      message: 'tls mode must be set for protocol TLS',
      rule: "self.all(l, (l.protocol == 'TLS' ? has(l.tls) && has(l.tls.mode) && l.tls.mode != '' : true))",
    },
    {
      message: "hostname must not be specified for protocols ['TCP', 'UDP']",
      rule: "self.all(l, l.protocol in ['TCP', 'UDP'] ? (!has(l.hostname) || l.hostname == '') : true)",
    },
    {
      message: 'Listener name must be unique within the Gateway',
      rule: 'self.all(l1, self.exists_one(l2, l1.name == l2.name))',
    },
    {
      message: 'Combination of port, protocol and hostname must be unique for each listener',
      rule: 'self.all(l1, self.exists_one(l2, l1.port == l2.port && l1.protocol == l2.protocol && (has(l1.hostname) && has(l2.hostname) ? l1.hostname == l2.hostname : !has(l1.hostname) && !has(l2.hostname))))',
    },
  ),
};

const addressType = (more: SchemaPart = {}): SchemaPart =>
  text({
    minLength: 1,
    maxLength: 253,
    default: 'IPAddress',
    pattern: `^Hostname|IPAddress|NamedAddress|[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\\/[A-Za-z0-9\\/\\-._~%!$&'()*+,;=:]+$`,
    ...more,
  });

const uniqueAddresses = (type: string): { readonly message: string; readonly rule: string } => ({
  message: `${type} values must be unique`,
  rule: `self.all(a1, a1.type == '${type}' && has(a1.value) ? self.exists_one(a2, a2.type == a1.type && has(a2.value) && a2.value == a1.value) : true)`,
});

const definitions: readonly Definition[] = [
  {
    kind: 'GatewayClass',
    plural: 'gatewayclasses',
    shortNames: ['gc'],
    scope: 'Cluster',
    versions: ['v1', 'v1beta1'],
    columns: [
      ['Controller', '.spec.controllerName'],
      ['Accepted', '.status.conditions[?(@.type=="Accepted")].status'],
      ['Age', '.metadata.creationTimestamp'],
      ['Description', '.spec.description', 1],
    ],
    spec: object({
      'controllerName!': text({
        minLength: 1,
        maxLength: 253,
        pattern: domainPrefixedPath,
        ...rules({ message: 'Value is immutable', rule: 'self == oldSelf' }),
      }),
      description: text({ maxLength: 64 }),
      parametersRef: classParametersRef,
    }),
    status: object(
      {
        conditions: { ...conditions, default: [pending('Accepted')] },
        supportedFeatures: mapList(object({ 'name!': text() }), 64, ['name']),
      },
      { default: { conditions: [pending('Accepted')] } },
    ),
  },
  {
    kind: 'Gateway',
    plural: 'gateways',
    shortNames: ['gtw'],
    scope: 'Namespaced',
    versions: ['v1', 'v1beta1'],
    columns: [
      ['Class', '.spec.gatewayClassName'],
      ['Address', '.status.addresses[*].value'],
      ['Programmed', '.status.conditions[?(@.type=="Programmed")].status'],
      ['Age', '.metadata.creationTimestamp'],
    ],
    spec: object({
      addresses: list(
        object({ type: addressType(), value: text({ maxLength: 253 }) }),
        16,
        rules(uniqueAddresses('IPAddress'), uniqueAddresses('Hostname')),
      ),
      'gatewayClassName!': name,
      infrastructure: object({
        annotations: annotationValues,
        labels: {
          type: 'object',
          maxProperties: 8,
          additionalProperties: text({
            minLength: 0,
            maxLength: 63,
            pattern: '^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$',
          }),
        },
        parametersRef,
      }),
      'listeners!': listeners,
    }),
    status: object(
      {
        addresses: list(
          object({ type: addressType(), 'value!': text({ minLength: 1, maxLength: 253 }) }),
          16,
        ),
        conditions: { ...conditions, default: [pending('Accepted'), pending('Programmed')] },
        listeners: mapList(
          object({
            'attachedRoutes!': integer(0, 2 ** 31 - 1),
            'conditions!': conditions,
            'name!': sectionName,
            supportedKinds: list(routeGroupKind, 8),
          }),
          64,
          ['name'],
        ),
      },
      { default: { conditions: [pending('Accepted'), pending('Programmed')] } },
    ),
  },
  {
    kind: 'HTTPRoute',
    plural: 'httproutes',
    scope: 'Namespaced',
    versions: ['v1', 'v1beta1'],
    columns: [
      ['Hostnames', '.spec.hostnames'],
      ['Age', '.metadata.creationTimestamp'],
    ],
    spec: object({ hostnames, parentRefs, rules: httpRules }),
    status: routeStatus,
  },
  {
    kind: 'GRPCRoute',
    plural: 'grpcroutes',
    scope: 'Namespaced',
    versions: ['v1'],
    columns: [
      ['Hostnames', '.spec.hostnames'],
      ['Age', '.metadata.creationTimestamp'],
    ],
    spec: object({ hostnames, parentRefs, rules: grpcRules }),
    status: routeStatus,
  },
  {
    kind: 'ReferenceGrant',
    plural: 'referencegrants',
    shortNames: ['refgrant'],
    scope: 'Namespaced',
    versions: ['v1', 'v1beta1'],
    stored: 'v1beta1',
    columns: [['Age', '.metadata.creationTimestamp']],
    spec: object({
      'from!': {
        ...list(object({ 'group!': group, 'kind!': kind, 'namespace!': namespace }), 16),
        minItems: 1,
      },
      'to!': { ...list(object({ 'group!': group, 'kind!': kind, name }), 16), minItems: 1 },
    }),
  },
];

const apiGroup = 'gateway.networking.k8s.io';

/** The kinds of the Gateway API's standard channel that are served here, as CustomResourceDefinitions. */
export function gatewayDefinitions(): readonly CustomResourceDefinition[] {
  return definitions.map((one) => ({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: {
      name: `${one.plural}.${apiGroup}`,
      annotations: {
        'api-approved.kubernetes.io': 'https://github.com/kubernetes-sigs/gateway-api/pull/4530',
        'gateway.networking.k8s.io/bundle-version': 'v1.4.1',
        'gateway.networking.k8s.io/channel': 'standard',
      },
      labels: { 'app.kubernetes.io/managed-by': 'kanoe' },
    },
    spec: {
      group: apiGroup,
      scope: one.scope,
      names: {
        kind: one.kind,
        listKind: `${one.kind}List`,
        plural: one.plural,
        singular: one.kind.toLowerCase(),
        categories: ['gateway-api'],
        ...(one.shortNames && { shortNames: one.shortNames }),
      },
      versions: one.versions.map((version) => ({
        name: version,
        served: true,
        storage: version === (one.stored ?? one.versions[0]),
        ...(one.status && { subresources: { status: {} } }),
        additionalPrinterColumns: one.columns.map(([column, jsonPath, priority]) => ({
          name: column,
          jsonPath,
          type: column === 'Age' ? 'date' : 'string',
          ...(priority !== undefined && { priority }),
        })),
        schema: {
          openAPIV3Schema: {
            type: 'object',
            required: ['spec'],
            properties: {
              apiVersion: text(),
              kind: text(),
              metadata: { type: 'object' },
              spec: one.spec,
              ...(one.status && { status: one.status }),
            },
          },
        },
      })),
    },
  }));
}
