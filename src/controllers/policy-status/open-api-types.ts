import {
  BOOL,
  BYTES,
  type CelType,
  DOUBLE,
  DURATION,
  DYN,
  INT,
  listOf,
  mapOf,
  STRING,
  structType,
  TIMESTAMP,
  type TypeProvider,
} from '../../machinery/cel/cel-type.ts';

/** A schema of an OpenAPI v3 document, as far as types depend on it. */
export interface OpenApiSchema {
  readonly $ref?: string;
  readonly allOf?: readonly OpenApiSchema[];
  readonly type?: string;
  readonly format?: string;
  readonly items?: OpenApiSchema;
  readonly properties?: Readonly<Record<string, OpenApiSchema>>;
  readonly additionalProperties?: OpenApiSchema | boolean;
  readonly 'x-kubernetes-int-or-string'?: boolean;
  readonly 'x-kubernetes-preserve-unknown-fields'?: boolean;
  readonly 'x-kubernetes-group-version-kind'?: readonly {
    readonly group: string;
    readonly version: string;
    readonly kind: string;
  }[];
}

/** The document of one group-version under `/openapi/v3`. */
export interface OpenApiDocument {
  readonly components?: { readonly schemas?: Readonly<Record<string, OpenApiSchema>> };
}

/** Which kind. */
export interface Kind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

/** The types of published schemas, which expressions are checked against. */
export interface PublishedTypes {
  readonly types: TypeProvider;
  /** The type of a kind's objects; undefined when the document does not have it. */
  typeOf(document: OpenApiDocument, kind: Kind): CelType | undefined;
}

/** Reads types from documents as they are asked for. */
export function publishedTypes(): PublishedTypes {
  const structs = new Map<string, ReadonlyMap<string, CelType>>();
  const ofDocument = new Map<OpenApiDocument, string>();
  return {
    types: {
      hasType: () => false,
      fieldType: (name, field) => structs.get(name)?.get(field),
    },
    typeOf(document, { group, version, kind }) {
      const schemas = document.components?.schemas ?? {};
      const found = Object.entries(schemas).find(([, schema]) =>
        schema['x-kubernetes-group-version-kind']?.some(
          (named) => named.group === group && named.version === version && named.kind === kind,
        ),
      );
      if (!found) return undefined;
      const prefix = ofDocument.get(document) ?? `#${ofDocument.size}/`;
      ofDocument.set(document, prefix);
      return typeOf({ $ref: found[0] }, '');

      function typeOf(schema: OpenApiSchema, path: string): CelType {
        if (schema.$ref !== undefined) return named(schema.$ref.replace(/^.*\//, ''));
        const [only, ...more] = schema.allOf ?? [];
        if (only && more.length === 0) return typeOf(only, path);
        if (schema['x-kubernetes-int-or-string']) return DYN;
        switch (schema.type) {
          case 'string':
            return textType(schema.format);
          case 'integer':
            return INT;
          case 'number':
            return DOUBLE;
          case 'boolean':
            return BOOL;
          case 'array':
            return schema.items ? listOf(typeOf(schema.items, `${path}[]`)) : DYN;
          case 'object':
            return objectType(schema, path);
          default:
            return DYN;
        }
      }

      function named(name: string): CelType {
        const schema = schemas[name];
        if (!schema) return DYN;
        if (!schema.properties) return typeOf(schema, `${prefix}${name}`);
        return declared(schema, `${prefix}${name}`);
      }

      function objectType(schema: OpenApiSchema, path: string): CelType {
        const { properties, additionalProperties: values } = schema;
        if (typeof values === 'object') return mapOf(STRING, typeOf(values, `${path}{}`));
        return properties ? declared(schema, path) : DYN;
      }

      function declared({ properties = {} }: OpenApiSchema, name: string): CelType {
        if (!structs.has(name)) {
          const fields = new Map<string, CelType>();
          structs.set(name, fields);
          for (const [field, schema] of Object.entries(properties))
            fields.set(field, typeOf(schema, `${name}.${field}`));
        }
        return structType(name);
      }
    },
  };
}

function textType(format: string | undefined): CelType {
  switch (format) {
    case 'byte':
      return BYTES;
    case 'duration':
      return DURATION;
    case 'date':
    case 'date-time':
      return TIMESTAMP;
    default:
      return STRING;
  }
}
