import type { FieldError } from '../field-error.ts';
import type { Correlation } from './correlation.ts';
import type { SchemaProps, StructuralSchema } from './structural-schema.ts';

/** One object whose rules are to be evaluated. */
export interface RuleSubject {
  /** Complete and defaulted, in the version of the request. */
  readonly object: Readonly<Record<string, unknown>>;
  /** The object before an update. */
  readonly oldObject?: Readonly<Record<string, unknown>>;
  /** Pairs places of both objects, so that what did not change need not meet new rules; with {@link oldObject} only. */
  readonly correlation?: Correlation;
  /** Gets what a rule says about a value that an update left as it was. */
  readonly warn?: (text: string) => void;
}

/** Evaluates the rules (`x-kubernetes-validations`) of one schema. */
export interface RuleValidator {
  /**
   * Every broken rule, in upstream's order and wording; costs are bounded. What takes long may go on elsewhere. Is not asked
   * when the object has blocking errors.
   */
  validate(subject: RuleSubject): FieldError[] | Promise<FieldError[]>;
}

/** An object whose rules take long, and the schema they are part of. */
export interface LongEvaluation extends Pick<RuleSubject, 'object' | 'oldObject'> {
  readonly schema: SchemaProps;
}

/** Evaluates, out of the way of others, the rules that take long; resolves to what {@link RuleValidator.validate} gives. */
export type EvaluateElsewhere = (evaluation: LongEvaluation) => Promise<FieldError[]>;

/** Compiles the rules of a schema; undefined when it has none. */
export type CompileRules = (schema: StructuralSchema) => RuleValidator | undefined;
