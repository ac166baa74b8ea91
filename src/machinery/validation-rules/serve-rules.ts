import type { MessagePort } from 'node:worker_threads';
import type { FieldError } from '../field-error.ts';
import { correlate } from '../structural/correlation.ts';
import { loadPatterns } from '../structural/patterns.ts';
import type { LongEvaluation, RuleValidator } from '../structural/rule-validator.ts';
import { structuralSchema, type StructuralSchema } from '../structural/structural-schema.ts';
import { ruleCompiler } from './evaluate-rules.ts';

/** One evaluation that is asked for of another thread. */
export interface RuleRequest extends Omit<LongEvaluation, 'schema'> {
  readonly id: number;
  readonly schemaId: number;
  /** With the first request about it. */
  readonly schema?: LongEvaluation['schema'];
}

/** How one evaluation ended. */
export type RuleReply =
  | { readonly id: number; readonly errors: readonly FieldError[] }
  | { readonly id: number; readonly fault: string };

/** Evaluates rules in this thread for the caller at the other end of `port`. */
export function serveRules(port: MessagePort): void {
  const compile = ruleCompiler();
  const known = new Map<number, { readonly root: StructuralSchema; readonly rules?: RuleValidator }>();
  const evaluate = async (request: RuleRequest): Promise<readonly FieldError[]> => {
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
  const send = (reply: RuleReply): void => port.postMessage(reply);
  port.on('message', (request: RuleRequest) => {
    const { id } = request;
    evaluate(request).then(
      (errors) => send({ id, errors }),
      (error: unknown) => send({ id, fault: error instanceof Error ? error.message : String(error) }),
    );
  });
}
