import {
  choice,
  conditions,
  domainPrefixedPath,
  duration,
  group,
  headerName,
  hostname,
  integer,
  kind,
  list,
  mapList,
  name,
  namespace,
  object,
  port,
  preciseHostname,
  rules,
  sectionName,
  text,
  type Rule,
  type SchemaPart,
} from './schema-parts.ts';

const gatewayApi = 'gateway.networking.k8s.io';

const parentRef = object({
  group: { ...group, default: gatewayApi },
  kind: { ...kind, default: 'Gateway' },
  'name!': name,
  namespace,
  port,
  sectionName,
});

const sameParent = (a: string, b: string): string =>
  `${a}.group == ${b}.group && ${a}.kind == ${b}.kind && ${a}.name == ${b}.name && ((!has(${a}.__namespace__) || ${a}.__namespace__ == '') && (!has(${b}.__namespace__) || ${b}.__namespace__ == '') || (has(${a}.__namespace__) && has(${b}.__namespace__) && ${a}.__namespace__ == ${b}.__namespace__))`;

const unset = (object_: string, field: string): string =>
  `(!has(${object_}.${field}) || ${object_}.${field} == '')`;

export const parentRefs: SchemaPart = list(
  parentRef,
  32,
  rules(
    {
      message:
        'sectionName must be specified when parentRefs includes 2 or more references to the same parent',
      rule: `self.all(p1, self.all(p2, ${sameParent('p1', 'p2')} ? ${unset('p1', 'sectionName')} == ${unset('p2', 'sectionName')} : true))`,
    },
    {
      message: 'sectionName must be unique when parentRefs includes 2 or more references to the same parent',
      rule: `self.all(p1, self.exists_one(p2, ${sameParent('p1', 'p2')} && (${unset('p1', 'sectionName')} && ${unset('p2', 'sectionName')} || (has(p1.sectionName) && has(p2.sectionName) && p1.sectionName == p2.sectionName))))`,
    },
  ),
);

export const hostnames: SchemaPart = list(hostname, 16);

export const routeStatus: SchemaPart = object({
  'parents!': list(
    object({
      'conditions!': { ...conditions, minItems: 1 },
      'controllerName!': text({ minLength: 1, maxLength: 253, pattern: domainPrefixedPath }),
      'parentRef!': parentRef,
    }),
    32,
  ),
});

const backendPort: Rule = {
  message: 'Must have port for Service reference',
  rule: "(size(self.group) == 0 && self.kind == 'Service') ? has(self.port) : true",
};

const backendParts = {
  group: { ...group, default: '' },
  kind: { ...kind, default: 'Service' },
  'name!': name,
  namespace,
  port,
};

const headerValue = text({ minLength: 1, maxLength: 4096 });
const headers = mapList(object({ 'name!': headerName, 'value!': headerValue }), 16, ['name']);
const headerModifier = object({
  add: headers,
  remove: { ...list(text(), 16), 'x-kubernetes-list-type': 'set' },
  set: headers,
});

const pathModifier = object(
  {
    replaceFullPath: text({ maxLength: 1024 }),
    replacePrefixMatch: text({ maxLength: 1024 }),
    'type!': choice(['ReplaceFullPath', 'ReplacePrefixMatch']),
  },
  rules(...['FullPath', 'PrefixMatch'].flatMap((what) => pairRules(`Replace${what}`, `replace${what}`))),
);

function pairRules(type: string, field: string): readonly Rule[] {
  return [
    {
      message: `${field} must be specified when type is set to '${type}'`,
      rule: `self.type == '${type}' ? has(self.${field}) : true`,
    },
    {
      message: `type must be '${type}' when ${field} is set`,
      rule: `has(self.${field}) ? self.type == '${type}' : true`,
    },
  ];
}

const mirror = object(
  {
    'backendRef!': object(backendParts, rules(backendPort)),
    fraction: object(
      {
        denominator: { type: 'integer', format: 'int32', minimum: 1, default: 100 },
        'numerator!': { type: 'integer', format: 'int32', minimum: 0 },
      },
      rules({
        message: 'numerator must be less than or equal to denominator',
        rule: 'self.numerator <= self.denominator',
      }),
    ),
    percent: integer(0, 100),
  },
  rules({
    message: 'Only one of percent or fraction may be specified in HTTPRequestMirrorFilter',
    rule: '!(has(self.percent) && has(self.fraction))',
  }),
);

const redirect = object({
  hostname: preciseHostname,
  path: pathModifier,
  port,
  scheme: choice(['http', 'https']),
  statusCode: { type: 'integer', enum: [301, 302, 303, 307, 308], default: 302 },
});

const cors = object({
  allowCredentials: { type: 'boolean' },
  allowHeaders: { ...list(headerName, 64), 'x-kubernetes-list-type': 'set' },
  allowMethods: {
    ...list(choice(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH', '*']), 9),
    'x-kubernetes-list-type': 'set',
    ...rules({
      message: "AllowMethods cannot contain '*' alongside other methods",
      rule: "!('*' in self && self.size() > 1)",
    }),
  },
  allowOrigins: {
    ...list(
      text({
        minLength: 1,
        maxLength: 253,
        pattern: '(^\\*$)|(^([a-zA-Z][a-zA-Z0-9+\\-.]+):\\/\\/([^:/?#]+)(:([0-9]{1,5}))?$)',
      }),
      64,
    ),
    'x-kubernetes-list-type': 'set',
    ...rules({
      message: "AllowOrigins cannot contain '*' alongside other origins",
      rule: "!('*' in self && self.size() > 1)",
    }),
  },
  exposeHeaders: { ...list(headerName, 64), 'x-kubernetes-list-type': 'set' },
  maxAge: { type: 'integer', format: 'int32', minimum: 1, default: 5 },
});

const filterParts: Readonly<Record<string, readonly [field: string, part: SchemaPart]>> = {
  RequestHeaderModifier: ['requestHeaderModifier', headerModifier],
  ResponseHeaderModifier: ['responseHeaderModifier', headerModifier],
  RequestMirror: ['requestMirror', mirror],
  RequestRedirect: ['requestRedirect', redirect],
  URLRewrite: ['urlRewrite', object({ hostname: preciseHostname, path: pathModifier })],
  CORS: ['cors', cors],
  ExtensionRef: ['extensionRef', object({ 'group!': group, 'kind!': kind, 'name!': name })],
};

/** A list of filters of these types, of which all but mirrors and extensions may come once. */
function filters(types: readonly string[], more: readonly Rule[] = []): SchemaPart {
  const parts = types.flatMap((type) => {
    const part = filterParts[type];
    return part ? [[type, ...part] as const] : [];
  });
  return list(
    object(
      { ...Object.fromEntries(parts.map(([, field, part]) => [field, part])), 'type!': choice(types) },
      rules(
        ...parts.flatMap(([type, field]) => [
          {
            message: `filter.${field} must be nil if the filter.type is not ${type}`,
            rule: `!(has(self.${field}) && self.type != '${type}')`,
          },
          {
            message: `filter.${field} must be specified for ${type} filter.type`,
            rule: `!(!has(self.${field}) && self.type == '${type}')`,
          },
        ]),
      ),
    ),
    16,
    rules(
      ...more,
      ...types
        .filter((type) => type !== 'RequestMirror' && type !== 'ExtensionRef')
        .map((type) => ({
          message: `${type} filter cannot be repeated`,
          rule: `self.filter(f, f.type == '${type}').size() <= 1`,
        })),
    ),
  );
}

const redirectOrRewrite: Rule = {
  message: 'May specify either httpRouteFilterRequestRedirect or httpRouteFilterRequestRewrite, but not both',
  rule: "!(self.exists(f, f.type == 'RequestRedirect') && self.exists(f, f.type == 'URLRewrite'))",
};
const httpFilters = filters(Object.keys(filterParts), [redirectOrRewrite]);
const grpcFilters = filters([
  'ResponseHeaderModifier',
  'RequestHeaderModifier',
  'RequestMirror',
  'ExtensionRef',
]);

function backendRefs(filterList: SchemaPart): SchemaPart {
  const weight = integer(0, 1_000_000, { default: 1 });
  return list(object({ ...backendParts, filters: filterList, weight }, rules(backendPort)), 16);
}

const matchType = choice(['Exact', 'RegularExpression'], { default: 'Exact' });
const headerMatches = mapList(object({ 'name!': headerName, type: matchType, 'value!': headerValue }), 16, [
  'name',
]);
const queryMatches = mapList(
  object({ 'name!': headerName, type: matchType, 'value!': text({ minLength: 1, maxLength: 1024 }) }),
  16,
  ['name'],
);

const plainPath = "(self.type in ['Exact','PathPrefix'])";
const pathMatch = object(
  {
    type: choice(['Exact', 'PathPrefix', 'RegularExpression'], { default: 'PathPrefix' }),
    value: text({ maxLength: 1024, default: '/' }),
  },
  {
    ...rules(
      {
        message: "value must be an absolute path and start with '/' when type one of ['Exact', 'PathPrefix']",
        rule: `${plainPath} ? self.value.startsWith('/') : true`,
      },
      ...['//', '/./', '/../', '%2f', '%2F', '#'].map((part) => ({
        message: `must not contain '${part}' when type one of ['Exact', 'PathPrefix']`,
        rule: `${plainPath} ? !self.value.contains('${part}') : true`,
      })),
      ...['/..', '/.'].map((end) => ({
        message: `must not end with '${end}' when type one of ['Exact', 'PathPrefix']`,
        rule: `${plainPath} ? !self.value.endsWith('${end}') : true`,
      })),
      {
        message: "type must be one of ['Exact', 'PathPrefix', 'RegularExpression']",
        rule: "self.type in ['Exact','PathPrefix'] || self.type == 'RegularExpression'",
      },
      {
        message:
          "must only contain valid characters (matching ^(?:[-A-Za-z0-9/._~!$&'()*+,;=:@]|[%][0-9a-fA-F]{2})+$) for types ['Exact', 'PathPrefix']",
        rule: `${plainPath} ? self.value.matches(r"""^(?:[-A-Za-z0-9/._~!$&'()*+,;=:@]|[%][0-9a-fA-F]{2})+$""") : true`,
      },
    ),
    default: { type: 'PathPrefix', value: '/' },
  },
);

const httpMatch = object({
  headers: headerMatches,
  method: choice(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH']),
  path: pathMatch,
  queryParams: queryMatches,
});

/** A change of a path prefix needs a prefix that was matched, and only one. */
function prefixRule(filter: string, field: string): Rule {
  const has = `has(self.filters) && self.filters.exists_one(f, has(f.${field}) && has(f.${field}.path) && f.${field}.path.type == 'ReplacePrefixMatch' && has(f.${field}.path.replacePrefixMatch))`;
  return {
    message: `When using ${filter} filter with path.replacePrefixMatch, exactly one PathPrefix match must be specified`,
    rule: `(${has}) ? ((size(self.matches) != 1 || !has(self.matches[0].path) || self.matches[0].path.type != 'PathPrefix') ? false : true) : true`,
  };
}

const anyPath = [{ path: { type: 'PathPrefix', value: '/' } }];

export const httpRules: SchemaPart = list(
  object(
    {
      backendRefs: backendRefs(httpFilters),
      filters: httpFilters,
      matches: list(httpMatch, 64, { default: anyPath }),
      name: sectionName,
      timeouts: object(
        { backendRequest: duration, request: duration },
        rules({
          message: 'backendRequest timeout cannot be longer than request timeout',
          rule: "!(has(self.request) && has(self.backendRequest) && duration(self.request) != duration('0s') && duration(self.backendRequest) > duration(self.request))",
        }),
      ),
    },
    rules(
      {
        message: 'RequestRedirect filter must not be used together with backendRefs',
        rule: '(has(self.backendRefs) && size(self.backendRefs) > 0) ? (!has(self.filters) || self.filters.all(f, !has(f.requestRedirect))) : true',
      },
      prefixRule('RequestRedirect', 'requestRedirect'),
      prefixRule('URLRewrite', 'urlRewrite'),
    ),
  ),
  16,
  {
    minItems: 1,
    default: [{ matches: anyPath }],
    ...rules({
      message:
        'While 16 rules and 64 matches per rule are allowed, the total number of matches across all rules in a route must be less than 128',
      rule: 'self.map(r, has(r.matches) ? size(r.matches) : 0).sum() <= 128',
    }),
  },
);

const grpcMethod = object(
  {
    method: text({ maxLength: 1024 }),
    service: text({ maxLength: 1024 }),
    type: matchType,
  },
  rules(
    {
      message: "One or both of 'service' or 'method' must be specified",
      rule: 'has(self.type) ? has(self.service) || has(self.method) : true',
    },
    {
      message:
        'service must only contain valid characters (matching ^(?i)\\.?[a-z_][a-z_0-9]*(\\.[a-z_][a-z_0-9]*)*$)',
      rule: '(!has(self.type) || self.type == \'Exact\') && has(self.service) ? self.service.matches(r"""^(?i)\\.?[a-z_][a-z_0-9]*(\\.[a-z_][a-z_0-9]*)*$""") : true',
    },
    {
      message: 'method must only contain valid characters (matching ^[A-Za-z_][A-Za-z_0-9]*$)',
      rule: '(!has(self.type) || self.type == \'Exact\') && has(self.method) ? self.method.matches(r"""^[A-Za-z_][A-Za-z_0-9]*$""") : true',
    },
  ),
);

export const grpcRules: SchemaPart = list(
  object({
    backendRefs: backendRefs(grpcFilters),
    filters: grpcFilters,
    matches: list(object({ headers: headerMatches, method: grpcMethod }), 64),
    name: sectionName,
  }),
  16,
  rules({
    message:
      'While 16 rules and 64 matches per rule are allowed, the total number of matches across all rules in a route must be less than 128',
    rule: 'self.map(r, has(r.matches) ? size(r.matches) : 0).sum() <= 128',
  }),
);
