/** Hears of custom resources. Must not throw. */
export interface ExtensionsObserver {
  /** On a clock of its own, in milliseconds. */
  now(): number;
  /** An update was compared with what was before, to find out what need not be valid. */
  compared(ms: number): void;
  /** What is served has changed with a definition, and with it the OpenAPI documents. */
  published(change: PublishedChange): void;
}

export interface PublishedChange {
  /** Name of the definition. */
  readonly definition: string;
  readonly group: string;
  readonly versions: readonly string[];
  readonly reason: 'add' | 'update' | 'remove';
}
