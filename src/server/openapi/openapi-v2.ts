import { definitionsOf, type JsonSchema } from './definition.ts';
import { bearerToken, type DocumentOptions } from './openapi-v3.ts';
import type { Answer, Operation } from './operation.ts';
import type { Parameter } from './parameter.ts';
import { messagesOf, pathItems, phraseOf } from './path-item.ts';

/** An OpenAPI v2 document, as far as it has a shape that others rely on. */
export interface OpenapiV2 {
  readonly swagger: '2.0';
  readonly info: { readonly title: string; readonly version: string };
  readonly paths: Readonly<Record<string, JsonSchema>>;
  readonly definitions: Readonly<Record<string, JsonSchema>>;
  readonly parameters: Readonly<Record<string, JsonSchema>>;
  readonly securityDefinitions: Readonly<Record<string, JsonSchema>>;
  readonly security: readonly JsonSchema[];
}

/**
 * The OpenAPI v2 document of all operations together. Parameters stand where they are used: kubectl before 1.27 does not
 * follow references when it looks for `dryRun`.
 */
export function openapiV2(operations: readonly Operation[], options: DocumentOptions): OpenapiV2 {
  const { version, ...known } = options;
  return {
    swagger: '2.0',
    info: { title: 'Kubernetes', version },
    paths: Object.fromEntries(
      pathItems(operations).map(({ path, shared, operations: methods }) => [
        path,
        {
          ...Object.fromEntries(
            methods.map(({ operation, own }) => [operation.method, method(operation, own)]),
          ),
          ...(shared.length > 0 && { parameters: shared.map(parameter) }),
        },
      ]),
    ),
    definitions: definitionsOf(messagesOf(operations), { ...known, dialect: 'v2' }),
    parameters: {},
    securityDefinitions: { BearerToken: bearerToken },
    security: [{ BearerToken: [] }],
  };
}

function method(operation: Operation, own: readonly Parameter[]): JsonSchema {
  const { body } = operation;
  const parameters = [
    ...(body
      ? [
          {
            name: 'body',
            in: 'body',
            ...(body.required && { required: true }),
            schema: reference(body.message),
          },
        ]
      : []),
    ...own.map(parameter),
  ];
  return {
    tags: [operation.tag],
    operationId: operation.id,
    consumes: body?.types ?? ['*/*'],
    produces: operation.produces,
    schemes: ['https'],
    ...(parameters.length > 0 && { parameters }),
    responses: Object.fromEntries(operation.answers.map((answer) => [answer.code, response(answer)])),
    ...(operation.action && { 'x-kubernetes-action': operation.action }),
    ...(operation.kind && { 'x-kubernetes-group-version-kind': operation.kind }),
  };
}

function response({ code, message }: Answer): JsonSchema {
  return {
    description: phraseOf(code),
    ...(message !== undefined && { schema: message === 'text' ? { type: 'string' } : reference(message) }),
  };
}

function parameter({ name, in: place, type }: Parameter): JsonSchema {
  return { name, in: place, ...(place === 'path' && { required: true }), type, uniqueItems: true };
}

function reference(message: string): JsonSchema {
  return { $ref: `#/definitions/${message}` };
}
