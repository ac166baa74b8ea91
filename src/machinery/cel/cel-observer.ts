/** Hears how long expressions take. Must not throw. */
export interface CelObserver {
  /** On a clock of its own, in milliseconds. */
  now(): number;
  /** Expressions that belong together were compiled. */
  compiled(since: number): void;
  /** Expressions that belong together were evaluated for one object. */
  evaluated(since: number): void;
}
