/** A JSONPath template that cannot be read. */
export class JsonPathError extends Error {
  override readonly name = 'JsonPathError';
  readonly code = 'JSONPATH';
}
