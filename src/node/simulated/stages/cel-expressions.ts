import { DYN } from '../../../machinery/cel/cel-type.ts';
import { celBase, celEnvironment } from '../../../machinery/cel/environment.ts';
import type { FunctionLibrary } from '../../../machinery/cel/function-table.ts';
import { viewJson } from '../../../machinery/cel/json-view.ts';
import { compile } from '../../../machinery/cel/program.ts';
import type { CelOpaque, CelValue } from '../../../machinery/cel/value.ts';

/** A value that an expression computed, read as one of the kinds that KWOK's fields have. */
export interface CelResult {
  /** Seconds of a duration count as the number; undefined when it is none. */
  number(): number | undefined;
  isTrue(): boolean;
  durationMs(): number | undefined;
  text(): string | undefined;
}

/** Evaluates over named variables, all of which may hold any JSON; throws an `Error` when the expression fails. */
export type CelExpression = (variables: Readonly<Record<string, unknown>>) => CelResult;

/** Compiles CEL expressions over `variables`. Throws `CelCompileError`. */
export interface CelExpressions {
  compile(source: string): CelExpression;
}

/** A compiler with Kubernetes' functions and `functions` beside them. */
export function celExpressions(
  variables: readonly string[],
  functions: readonly FunctionLibrary[] = [],
): CelExpressions {
  const environment = celEnvironment(
    celBase(functions),
    Object.fromEntries(variables.map((name) => [name, DYN])),
  );
  return {
    compile(source) {
      const program = compile(source, environment);
      return (values) => {
        const bindings = new Map(Object.entries(values).map(([name, value]) => [name, viewJson(value)]));
        const outcome = program.evaluate(bindings);
        if ('error' in outcome) throw new Error(outcome.error);
        return resultOf(outcome.value);
      };
    },
  };
}

function resultOf(value: CelValue): CelResult {
  return {
    number: () => numberOf(value),
    isTrue: () => value === true,
    durationMs() {
      if (typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'duration')
        return Number(value.nanos / 1000n) / 1000;
      const seconds = numberOf(value);
      return seconds === undefined ? undefined : seconds * 1000;
    },
    text: () => (typeof value === 'string' ? value : undefined),
  };
}

function numberOf(value: CelValue): number | undefined {
  if (typeof value === 'number') return value;
  if (typeof value === 'bigint') return Number(value);
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (typeof value !== 'object' || value === null || !('kind' in value)) return undefined;
  if (value.kind === 'uint') return Number(value.value);
  if (value.kind === 'duration') return Number(value.nanos) / 1e9;
  if (value.kind === 'timestamp') return Number(value.nanos) / 1e9;
  return value.kind === 'opaque' ? quantityOf(value) : undefined;
}

/** Kubernetes' quantities count in billionths. */
function quantityOf({ payload }: CelOpaque): number | undefined {
  return 'nanos' in payload && typeof payload.nanos === 'bigint' ? Number(payload.nanos) / 1e9 : undefined;
}
