import { DYN, type CelType } from '../../../machinery/cel/cel-type.ts';
import { celBase, celEnvironment } from '../../../machinery/cel/environment.ts';
import { viewJson } from '../../../machinery/cel/json-view.ts';
import { compile, type Program } from '../../../machinery/cel/program.ts';
import type { CelValue } from '../../../machinery/cel/value.ts';

/** Evaluates one expression over the claims, or over the user. Throws what the expression fails with. */
export type ClaimExpression = (value: unknown) => CelValue;

/** Compiles expressions over the variable `claims` or `user`; the engine is made when the first one is. */
export interface ClaimExpressions {
  compile(source: string, variable: 'claims' | 'user'): ClaimExpression;
}

export function createClaimExpressions(): ClaimExpressions {
  let base: ReturnType<typeof celBase> | undefined;
  return {
    compile(source, variable) {
      base ??= celBase();
      const variables: Record<string, CelType> = { [variable]: DYN };
      const program: Program = compile(source, celEnvironment(base, variables));
      return (value) => {
        const outcome = program.evaluate(new Map([[variable, viewJson(value)]]));
        if ('error' in outcome) throw new Error(outcome.error);
        return outcome.value;
      };
    },
  };
}

/** The text that an expression answers; undefined for none. */
export function textOf(value: CelValue): string | undefined {
  if (typeof value === 'string') return value;
  if (value === null) return undefined;
  throw new Error('expression must return a string');
}

/** The texts that an expression answers: one, a list, or none. */
export function textsOf(value: CelValue): string[] {
  if (typeof value === 'string') return value === '' ? [] : [value];
  if (value === null) return [];
  if (typeof value === 'object' && 'kind' in value && value.kind === 'list') {
    return Array.from({ length: value.size }, (_, at) => textOf(value.at(at)) ?? '');
  }
  throw new Error('expression must return a string or a list of strings');
}
