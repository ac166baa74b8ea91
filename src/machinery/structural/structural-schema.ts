/** `x-kubernetes-validations` of one place in a schema. */
export interface ValidationRule {
  readonly rule: string;
  readonly message?: string;
  readonly messageExpression?: string;
  readonly reason?: string;
  readonly fieldPath?: string;
  readonly optionalOldSelf?: boolean;
}

/** `JSONSchemaProps` of `apiextensions.k8s.io/v1`, as far as values are read and checked by it. */
export interface SchemaProps {
  readonly type?: string;
  readonly format?: string;
  readonly title?: string;
  readonly description?: string;
  readonly nullable?: boolean;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly maximum?: number;
  readonly exclusiveMaximum?: boolean;
  readonly minimum?: number;
  readonly exclusiveMinimum?: boolean;
  readonly multipleOf?: number;
  readonly maxLength?: number;
  readonly minLength?: number;
  readonly pattern?: string;
  readonly maxItems?: number;
  readonly minItems?: number;
  readonly uniqueItems?: boolean;
  readonly maxProperties?: number;
  readonly minProperties?: number;
  readonly required?: readonly string[];
  readonly items?: SchemaProps | readonly SchemaProps[];
  readonly properties?: Readonly<Record<string, SchemaProps>>;
  readonly additionalProperties?: SchemaProps | boolean;
  readonly allOf?: readonly SchemaProps[];
  readonly anyOf?: readonly SchemaProps[];
  readonly oneOf?: readonly SchemaProps[];
  readonly not?: SchemaProps;
  readonly 'x-kubernetes-preserve-unknown-fields'?: boolean;
  readonly 'x-kubernetes-embedded-resource'?: boolean;
  readonly 'x-kubernetes-int-or-string'?: boolean;
  readonly 'x-kubernetes-list-type'?: string;
  readonly 'x-kubernetes-list-map-keys'?: readonly string[];
  readonly 'x-kubernetes-map-type'?: string;
  readonly 'x-kubernetes-validations'?: readonly ValidationRule[];
}

/**
 * One place of a structural schema: the tree that says what a value is, apart from the conditions (`props`) that it must
 * meet. Children are built when they are first asked for, so that a schema of thousands of properties costs what is used.
 */
export interface StructuralSchema {
  /** Empty for int-or-string and for preserved values of any type. */
  readonly type: string;
  readonly nullable: boolean;
  readonly default?: unknown;
  readonly intOrString: boolean;
  readonly preserveUnknownFields: boolean;
  readonly embeddedResource: boolean;
  readonly listType: 'atomic' | 'set' | 'map' | undefined;
  readonly listMapKeys: readonly string[];
  readonly mapType: 'atomic' | 'granular' | undefined;
  /** Names in ascending order. */
  readonly propertyNames: readonly string[];
  /** Those whose schema has a default. */
  readonly defaultedNames: readonly string[];
  property(name: string): StructuralSchema | undefined;
  readonly items: StructuralSchema | undefined;
  /** The schema of values of a map; `true` admits any. */
  readonly additionalProperties: StructuralSchema | boolean | undefined;
  readonly rules: readonly ValidationRule[];
  readonly props: SchemaProps;
}

/** Reads a schema that was found structural. */
export function structuralSchema(props: SchemaProps): StructuralSchema {
  const properties = props.properties ?? {};
  let names: readonly string[] | undefined;
  let defaulted: readonly string[] | undefined;
  const made = new Map<string, StructuralSchema>();
  let items: StructuralSchema | undefined;
  let values: StructuralSchema | undefined;
  return {
    type: props.type ?? '',
    nullable: props.nullable ?? false,
    ...(props.default !== undefined && props.default !== null && { default: props.default }),
    intOrString: props['x-kubernetes-int-or-string'] ?? false,
    preserveUnknownFields: props['x-kubernetes-preserve-unknown-fields'] ?? false,
    embeddedResource: props['x-kubernetes-embedded-resource'] ?? false,
    listType: props['x-kubernetes-list-type'] as StructuralSchema['listType'],
    listMapKeys: props['x-kubernetes-list-map-keys'] ?? [],
    mapType: props['x-kubernetes-map-type'] as StructuralSchema['mapType'],
    rules: props['x-kubernetes-validations'] ?? [],
    get propertyNames() {
      names ??= Object.keys(properties).sort();
      return names;
    },
    get defaultedNames() {
      defaulted ??= Object.keys(properties)
        .filter((name) => (properties[name]?.default ?? null) !== null)
        .sort();
      return defaulted;
    },
    property(name) {
      const known = made.get(name);
      if (known) return known;
      const found = Object.hasOwn(properties, name) ? properties[name] : undefined;
      if (!found) return undefined;
      const schema = structuralSchema(found);
      made.set(name, schema);
      return schema;
    },
    get items() {
      const found = props.items;
      if (found && !Array.isArray(found)) items ??= structuralSchema(found as SchemaProps);
      return items;
    },
    get additionalProperties() {
      const found = props.additionalProperties;
      if (typeof found !== 'object') return found;
      values ??= structuralSchema(found);
      return values;
    },
    props,
  };
}
