/** What is asked of a thread. */
export interface ThreadRequest<Call> {
  readonly id: number;
  readonly call: Call;
}

/** What a thread answers to the request of the same number; anything else that it posts is a notice. */
export type ThreadReply =
  | { readonly kind: 'result'; readonly id: number; readonly result: unknown }
  | { readonly kind: 'error'; readonly id: number; readonly message: string };
