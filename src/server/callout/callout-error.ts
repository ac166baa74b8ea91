/** A call that got no answer; the message is what upstream's client says. */
export class CalloutError extends Error {
  override readonly name = 'CalloutError';
}
