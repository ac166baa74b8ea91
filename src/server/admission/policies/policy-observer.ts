import type { CelObserver } from '../../../machinery/cel/cel-observer.ts';

/** What was wrong with an expression. */
export type ExpressionFault = 'compile_error' | 'invalid_error' | 'out_of_budget';

/** One expression of a validating policy that did not come out true, and what was done about it. */
export interface PolicyCheck {
  readonly policy: string;
  readonly binding: string;
  readonly fault: ExpressionFault | 'no_error';
  readonly action: 'allow' | 'deny' | 'audit' | 'warn';
  /** How long the policy took. */
  readonly ms: number;
}

/** Hears what policies do. Must not throw. */
export interface PolicyObserver extends CelObserver {
  checked(check: PolicyCheck): void;
}
