/** A template that cannot be parsed or executed; the message is what Go's text/template prints. */
export class TemplateError extends Error {
  override readonly name = 'TemplateError';
}
