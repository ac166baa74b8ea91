import type { ValidatingAdmissionPolicy, Validation } from '../../../api/admissionregistration/v1.gen.ts';
import { BOOL, NULL, STRING } from '../../../machinery/cel/cel-type.ts';
import { RUNTIME_COST_BUDGET } from '../../../machinery/cel/program.ts';
import type { Bindings } from '../../../machinery/cel/evaluate.ts';
import type { CelValue } from '../../../machinery/cel/value.ts';
import { compileParts, type CompiledParts } from './compile-policy.ts';
import {
  type Budget,
  evaluateExpression,
  OutOfBudgetError,
  type PolicyExpression,
} from './evaluate-expressions.ts';
import type { NewPace } from './expression-pace.ts';
import { evaluateConditions } from './match-conditions.ts';
import type { ExpressionFault } from './policy-observer.ts';
import { withVariables } from './policy-variables.ts';

const longestMessage = 5 * 1024;
const longestAnnotation = 10 * 1024;

/** A policy whose expressions are compiled. */
export interface CompiledPolicy extends CompiledParts {
  readonly validations: readonly {
    readonly validation: Validation;
    readonly expression: PolicyExpression;
    readonly message: PolicyExpression | undefined;
  }[];
  readonly annotations: readonly { readonly key: string; readonly expression: PolicyExpression }[];
}

/** Compiles everything a validating policy evaluates. */
export function compileValidatingPolicy(
  { spec }: ValidatingAdmissionPolicy,
  newPace: NewPace,
): CompiledPolicy {
  const parts = compileParts(spec, 'none', newPace);
  return {
    ...parts,
    validations: (spec.validations ?? []).map((validation) => ({
      validation,
      expression: parts.compile(validation.expression, [BOOL]),
      message: validation.messageExpression?.trim()
        ? parts.compile(validation.messageExpression, [STRING], 'none')
        : undefined,
    })),
    annotations: (spec.auditAnnotations ?? []).map(({ key, valueExpression }) => ({
      key,
      expression: parts.compile(valueExpression.trim(), [STRING, NULL]),
    })),
  };
}

/** Why a policy does not let a request pass; `index` is that of the validation. */
export interface Denial {
  readonly message: string;
  readonly reason?: string;
  readonly index: number;
  /** The expression is not false, but could not be evaluated. */
  readonly fault?: ExpressionFault;
}

/** What a policy says of a request. */
export interface PolicyVerdict {
  readonly denials: readonly Denial[];
  readonly annotations: readonly { readonly key: string; readonly value: string }[];
  /** Annotations that could not be computed: denials whatever the binding's actions are. */
  readonly failures: readonly string[];
  /** What could not be evaluated, and does not matter by the failure policy. */
  readonly ignored: readonly ExpressionFault[];
}

const noVerdict: PolicyVerdict = { denials: [], annotations: [], failures: [], ignored: [] };

/** Evaluates a policy; errors are denials unless its failure policy ignores them. */
export async function validateWithPolicy(
  policy: CompiledPolicy,
  failurePolicy: string | undefined,
  bindings: Map<string, CelValue>,
): Promise<PolicyVerdict> {
  const ignores = failurePolicy === 'Ignore';
  const failed = (message: string, fault: ExpressionFault): PolicyVerdict => ({
    ...noVerdict,
    ...(ignores ? { ignored: [fault] } : { denials: [{ message, index: 0, fault }] }),
  });
  const conditions = await evaluateConditions(policy.conditions, bindings);
  if ('error' in conditions) return failed(conditions.error, 'invalid_error');
  if (!conditions.matches) return noVerdict;
  const budget: Budget = { left: RUNTIME_COST_BUDGET };
  const all = withVariables(bindings, policy.variables, budget);
  const denials: Denial[] = [];
  const ignored: ExpressionFault[] = [];
  try {
    for (const [index, { validation, expression, message }] of policy.validations.entries()) {
      const result = await evaluateExpression(expression, all, budget);
      if ('error' in result) {
        const fault = 'error' in expression.compiled ? 'compile_error' : 'invalid_error';
        if (ignores) ignored.push(fault);
        else denials.push({ message: result.error, index, fault });
      } else if (result.value !== true) {
        const text = await denialText(validation, message, { bindings: all, budget });
        denials.push({ message: text, index, ...(validation.reason ? { reason: validation.reason } : {}) });
      }
    }
  } catch (error) {
    if (!(error instanceof OutOfBudgetError)) throw error;
    return failed(error.message, 'out_of_budget');
  }
  return { denials, ignored, ...(await annotationsOf(policy, bindings, ignores ? 'ignore' : 'fail')) };
}

async function denialText(
  { message = '', expression }: Validation,
  computed: PolicyExpression | undefined,
  { bindings, budget }: { readonly bindings: Bindings; readonly budget: Budget },
): Promise<string> {
  const result = computed && (await evaluateExpression(computed, bindings, budget));
  const text = result && 'value' in result && typeof result.value === 'string' ? result.value.trim() : '';
  const usable = Buffer.byteLength(text) <= longestMessage && !text.includes('\n') ? text : '';
  return usable || message.trim() || `failed expression: ${expression.trim()}`;
}

async function annotationsOf(
  policy: CompiledPolicy,
  bindings: Map<string, CelValue>,
  onError: 'fail' | 'ignore',
): Promise<Pick<PolicyVerdict, 'annotations' | 'failures'>> {
  const budget: Budget = { left: RUNTIME_COST_BUDGET };
  const all = withVariables(bindings, policy.variables, budget);
  const annotations: { key: string; value: string }[] = [];
  const failures: string[] = [];
  for (const { key, expression } of policy.annotations) {
    const result = await evaluateExpression(expression, all, budget);
    if ('error' in result) {
      if (onError === 'fail') failures.push(result.error);
    } else if (typeof result.value === 'string' && result.value.trim() !== '') {
      annotations.push({ key, value: result.value.trim().slice(0, longestAnnotation) });
    }
  }
  return { annotations, failures };
}
