import type { Compiled } from '../../../api/admissionregistration/expression-environment.ts';
import type { Bindings } from '../../../machinery/cel/evaluate.ts';
import type { Outcome, Program } from '../../../machinery/cel/program.ts';
import { valueToJson } from '../../../machinery/cel/value-to-json.ts';

/** An expression as another thread compiles it. Its result is a plain value, and it asks the authorizer nothing. */
export interface RemoteExpression {
  readonly source: string;
  /** Whether there is a variable `params`. */
  readonly params: boolean;
  /** Those of the policy, in order. */
  readonly variables: readonly { readonly name: string; readonly expression: string }[];
}

/** What the variables of one evaluation stand for, as JSON. */
export type RemoteValues = Readonly<Record<string, unknown>>;

/** How an evaluation in another thread ended, and what each variable of the policy cost that it needed. */
export interface RemoteOutcome {
  readonly outcome: Outcome;
  readonly variables: readonly (readonly [name: string, cost: number])[];
}

/** Evaluates an expression out of the way of others. */
export type EvaluateRemotely = (expression: RemoteExpression, values: RemoteValues) => Promise<RemoteOutcome>;

interface Source {
  readonly source: string;
  readonly compiled: Compiled;
}

/** An expression with a plain result for another thread; undefined where only this one can evaluate it. */
export function remoteExpression(
  { source, compiled }: Source,
  { params, variables }: { readonly params: boolean; readonly variables: ReadonlyMap<string, Source> },
): RemoteExpression | undefined {
  if ('error' in compiled) return undefined;
  const named = compiled.program.uses('variables') ? [...variables] : [];
  const all = [compiled, ...named.map(([, variable]) => variable.compiled)];
  if (all.some((one) => 'program' in one && asksAuthorizer(one.program))) return undefined;
  return { source, params, variables: named.map(([name, one]) => ({ name, expression: one.source })) };
}

function asksAuthorizer({ uses }: Program): boolean {
  return uses('authorizer') || uses('authorizer.requestResource');
}

const plainVariables = ['object', 'oldObject', 'request', 'namespaceObject', 'params'] as const;

/** What another thread needs of the bindings of one evaluation. */
export function remoteValues(bindings: Bindings): RemoteValues {
  return Object.fromEntries(plainVariables.map((name) => [name, valueToJson(bindings.get(name) ?? null)]));
}
