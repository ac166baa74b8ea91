import type { FieldError } from '../field-error.ts';
import { correlate } from '../structural/correlation.ts';
import { loadPatterns } from '../structural/patterns.ts';
import type { LongEvaluation, RuleValidator } from '../structural/rule-validator.ts';
import { structuralSchema, type StructuralSchema } from '../structural/structural-schema.ts';
import { ruleCompiler } from './evaluate-rules.ts';

/** One evaluation that is asked for of another thread. */
export interface RuleRequest extends Omit<LongEvaluation, 'schema'> {
  readonly schemaId: number;
  /** With the first request about it. */
  readonly schema?: LongEvaluation['schema'];
}

/** Evaluates rules of schemas, each compiled once; `rest` is called now and then meanwhile. */
export function ruleEvaluator(rest: () => void): (request: RuleRequest) => Promise<readonly FieldError[]> {
  const compile = ruleCompiler({ rest });
  const known = new Map<number, { readonly root: StructuralSchema; readonly rules?: RuleValidator }>();
  return async (request) => {
    await loadPatterns();
    if (request.schema) {
      const root = structuralSchema(request.schema);
      const rules = compile(root);
      known.set(request.schemaId, { root, ...(rules && { rules }) });
    }
    const { root, rules } = known.get(request.schemaId) ?? {};
    if (!root || !rules) return [];
    const { object, oldObject } = request;
    return rules.validate({
      object,
      ...(oldObject && { oldObject, correlation: correlate(object, oldObject, root) }),
    });
  };
}
