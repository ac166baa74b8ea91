/** A part of a structural schema (`apiextensions.k8s.io/v1` JSONSchemaProps). */
export type SchemaPart = Readonly<Record<string, unknown>>;

export interface Rule {
  readonly rule: string;
  readonly message: string;
}

const subdomain = '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*';

export const domainPrefixedPath: string = `^${subdomain}\\/[A-Za-z0-9\\/\\-._~%!$&'()*+,;=:]+$`;

export function text(limits: SchemaPart = {}): SchemaPart {
  return { type: 'string', ...limits };
}

export function integer(minimum: number, maximum: number, more: SchemaPart = {}): SchemaPart {
  return { type: 'integer', format: 'int32', minimum, maximum, ...more };
}

export function choice(values: readonly string[], more: SchemaPart = {}): SchemaPart {
  return { type: 'string', enum: values, ...more };
}

/** An object; names that end with `!` are required. */
export function object(properties: Readonly<Record<string, SchemaPart>>, more: SchemaPart = {}): SchemaPart {
  const required = Object.keys(properties).filter((name) => name.endsWith('!'));
  return {
    type: 'object',
    properties: Object.fromEntries(
      Object.entries(properties).map(([name, part]) => [name.replace('!', ''), part]),
    ),
    ...(required.length > 0 && { required: required.map((name) => name.slice(0, -1)) }),
    ...more,
  };
}

/** A list that is replaced as a whole. */
export function list(items: SchemaPart, maxItems: number, more: SchemaPart = {}): SchemaPart {
  return { type: 'array', items, maxItems, 'x-kubernetes-list-type': 'atomic', ...more };
}

/** A list whose members are told apart by some of their fields. */
export function mapList(items: SchemaPart, maxItems: number, keys: readonly string[]): SchemaPart {
  return { ...list(items, maxItems), 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': keys };
}

export function rules(...given: readonly Rule[]): SchemaPart {
  return { 'x-kubernetes-validations': given };
}

export const group: SchemaPart = text({ maxLength: 253, pattern: `^$|^${subdomain}$` });
export const kind: SchemaPart = text({
  minLength: 1,
  maxLength: 63,
  pattern: '^[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$',
});
export const name: SchemaPart = text({ minLength: 1, maxLength: 253 });
export const namespace: SchemaPart = text({
  minLength: 1,
  maxLength: 63,
  pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$',
});
export const sectionName: SchemaPart = text({ minLength: 1, maxLength: 253, pattern: `^${subdomain}$` });
export const port: SchemaPart = integer(1, 65_535);
export const preciseHostname: SchemaPart = text({ minLength: 1, maxLength: 253, pattern: `^${subdomain}$` });
export const hostname: SchemaPart = text({
  minLength: 1,
  maxLength: 253,
  pattern: `^(\\*\\.)?${subdomain}$`,
});
export const duration: SchemaPart = text({ pattern: '^([0-9]{1,5}(h|m|s|ms)){1,4}$' });
export const headerName: SchemaPart = text({
  minLength: 1,
  maxLength: 256,
  pattern: "^[A-Za-z0-9!#$%&'*+\\-.^_\\x60|~]+$",
});

export const labelSelector: SchemaPart = object(
  {
    matchExpressions: {
      type: 'array',
      'x-kubernetes-list-type': 'atomic',
      items: object({
        'key!': text(),
        'operator!': text(),
        values: { type: 'array', items: text(), 'x-kubernetes-list-type': 'atomic' },
      }),
    },
    matchLabels: { type: 'object', additionalProperties: text() },
  },
  { 'x-kubernetes-map-type': 'atomic' },
);

export const conditions: SchemaPart = mapList(
  object({
    'lastTransitionTime!': text({ format: 'date-time' }),
    'message!': text({ maxLength: 32_768 }),
    observedGeneration: { type: 'integer', format: 'int64', minimum: 0 },
    'reason!': text({ minLength: 1, maxLength: 1024, pattern: '^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$' }),
    'status!': choice(['True', 'False', 'Unknown']),
    'type!': text({
      maxLength: 316,
      pattern: `^(${subdomain}/)?(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$`,
    }),
  }),
  8,
  ['type'],
);

/** The condition with which an object begins, before any controller has seen it. */
export function pending(type: string, reason: string = 'Pending'): SchemaPart {
  return {
    type,
    status: 'Unknown',
    reason,
    message: 'Waiting for controller',
    lastTransitionTime: '1970-01-01T00:00:00Z',
  };
}
