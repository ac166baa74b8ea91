import { definitionsOf, type JsonSchema } from './definition.ts';
import { objectText } from './object-text.ts';
import { bearerToken, type DocumentOptions } from './openapi-v3.ts';
import type { Answer, Operation } from './operation.ts';
import type { Parameter } from './parameter.ts';
import { messagesOf, pathItems, phraseOf } from './path-item.ts';

type Members = Iterable<readonly [string, JsonSchema] | undefined>;

/** An OpenAPI v2 document, of which the large parts are made, and can be read, only once; undefined between steps of that. */
export interface OpenapiV2 {
  readonly info: { readonly title: string; readonly version: string };
  readonly paths: Members;
  readonly definitions: Members;
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
    info: { title: 'Kubernetes', version },
    paths: paths(operations),
    definitions: definitionsOf(messagesOf(operations), { ...known, dialect: 'v2' }),
    securityDefinitions: { BearerToken: bearerToken },
    security: [{ BearerToken: [] }],
  };
}

/** The document as JSON, piece by piece. */
export function* openapiV2Json(document: OpenapiV2): Generator<string> {
  const { info, securityDefinitions, security } = document;
  yield `{"swagger":"2.0","info":${JSON.stringify(info)},"paths":`;
  yield* objectText(document.paths);
  yield ',"definitions":';
  yield* objectText(document.definitions);
  const rest = JSON.stringify({ parameters: {}, securityDefinitions, security });
  yield `,${rest.slice(1)}`;
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
