/** A JSONPath template that cannot be read, or that asks for a field which is not there. */
export class JsonPathError extends Error {
  override readonly name = 'JsonPathError';
  readonly code = 'JSONPATH';
}
