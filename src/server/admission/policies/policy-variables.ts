import { evaluationError } from '../../../machinery/cel/evaluation-error.ts';
import type { Bindings } from '../../../machinery/cel/evaluate.ts';
import type { CelStruct, CelValue } from '../../../machinery/cel/value.ts';
import { variablesType } from '../../../api/admissionregistration/expression-types.ts';
import { evaluateVariable, type Budget, type PolicyExpression } from './evaluate-expressions.ts';

/** `variables` of one evaluation: each is computed when it is named first, and spends of the budget. */
export function withVariables(
  bindings: Map<string, CelValue>,
  variables: ReadonlyMap<string, PolicyExpression>,
  budget: Budget,
): Bindings {
  const known = new Map<string, CelValue | Failure>();
  const struct: CelStruct = {
    kind: 'struct',
    typeName: variablesType,
    fields: () => [...variables.keys()],
    get(name) {
      const variable = variables.get(name);
      if (!variable) return undefined;
      let value = known.get(name);
      if (value === undefined) {
        value = compute(name, variable, { bindings, budget });
        known.set(name, value);
      }
      return value instanceof Failure ? evaluationError(value.message) : value;
    },
  };
  bindings.set('variables', struct);
  return bindings;
}

class Failure {
  readonly message: string;

  constructor(message: string) {
    this.message = message;
  }
}

function compute(
  name: string,
  { compiled }: PolicyExpression,
  { bindings, budget }: { readonly bindings: Bindings; readonly budget: Budget },
): CelValue | Failure {
  if ('error' in compiled) {
    return new Failure(`composited variable ${JSON.stringify(name)} fails to compile: ${compiled.error}`);
  }
  const outcome = evaluateVariable(name, compiled.program, bindings, budget);
  if ('error' in outcome)
    return new Failure(`composited variable ${JSON.stringify(name)} fails to evaluate: ${outcome.error}`);
  return outcome.value;
}
