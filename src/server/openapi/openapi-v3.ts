import type { SchemaTable } from '../../machinery/schema/schema.ts';
import { definitionsOf, type CustomDefinition, type JsonSchema } from './definition.ts';
import { objectText } from './object-text.ts';
import type { Answer, Operation } from './operation.ts';
import { messagesOf, pathItems, phraseOf } from './path-item.ts';
import type { Parameter } from './parameter.ts';

export interface DocumentOptions {
  readonly table: SchemaTable;
  /** All group versions that are served. */
  readonly groupVersions: readonly { readonly group: string; readonly version: string }[];
  /** Schemas of custom resources and their lists, by name. */
  readonly custom?: ReadonlyMap<string, CustomDefinition>;
  /** `1.36`. */
  readonly version: string;
}

/** The OpenAPI v3 document of these operations, piece by piece: one group version, or one discovery path. */
export function* openapiV3(operations: readonly Operation[], options: DocumentOptions): Generator<string> {
  const { version, ...known } = options;
  yield `{"openapi":"3.0.0","info":${JSON.stringify({ title: 'Kubernetes', version })},"paths":`;
  yield* objectText(paths(operations));
  yield ',"components":{';
  const messages = messagesOf(operations);
  if (messages.size > 0) {
    yield '"schemas":';
    yield* objectText(definitionsOf(messages, { ...known, dialect: 'v3' }));
    yield ',';
  }
  yield `"securitySchemes":${JSON.stringify({ BearerToken: bearerToken })}}}`;
}

function* paths(operations: readonly Operation[]): Generator<readonly [string, JsonSchema]> {
  for (const { path, shared, operations: methods } of pathItems(operations)) {
    const item = {
      ...Object.fromEntries(methods.map(({ operation, own }) => [operation.method, method(operation, own)])),
      ...(shared.length > 0 && { parameters: shared.map(parameter) }),
    };
    yield [path, item];
  }
}

/** How requests carry tokens; the same in both dialects. */
export const bearerToken: JsonSchema = {
  type: 'apiKey',
  description: 'Bearer Token authentication',
  name: 'authorization',
  in: 'header',
};

function method(operation: Operation, own: readonly Parameter[]): JsonSchema {
  const { body, answers, produces } = operation;
  return {
    tags: [operation.tag],
    operationId: operation.id,
    ...(own.length > 0 && { parameters: own.map(parameter) }),
    ...(body && {
      requestBody: {
        content: Object.fromEntries(body.types.map((type) => [type, { schema: reference(body.message) }])),
        ...(body.required && { required: true }),
      },
    }),
    responses: Object.fromEntries(answers.map((answer) => [answer.code, response(answer, produces)])),
    ...(operation.action && { 'x-kubernetes-action': operation.action }),
    ...(operation.kind && { 'x-kubernetes-group-version-kind': operation.kind }),
  };
}

function response({ code, message }: Answer, produces: readonly string[]): JsonSchema {
  if (message === undefined) return { description: phraseOf(code) };
  const schema = message === 'text' ? { type: 'string' } : reference(message);
  return {
    description: phraseOf(code),
    content: Object.fromEntries([...produces].sort().map((type) => [type, { schema }])),
  };
}

function parameter({ name, in: place, type }: Parameter): JsonSchema {
  return {
    name,
    in: place,
    ...(place === 'path' && { required: true }),
    schema: { type, uniqueItems: true },
  };
}

function reference(message: string): JsonSchema {
  return { $ref: `#/components/schemas/${message}` };
}
