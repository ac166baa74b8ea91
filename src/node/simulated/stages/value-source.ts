import { durationMs } from '../../../machinery/duration.ts';
import { JqError } from '../../../machinery/jq/jq-error.ts';
import type { JqCompiler } from '../../../machinery/jq/jq-query.ts';
import type { CelExpressions } from './cel-expressions.ts';
import type { ExpressionSource } from '../kwok/stage.ts';

/** What compiles the expressions of stages. */
export interface StageLanguages {
  readonly jq: JqCompiler;
  /** Made when the first stage has a CEL expression. */
  readonly cel: () => CelExpressions;
}

/** A number of an object at a time; undefined when there is none. */
export type NumberSource = (object: unknown, nowMs: number) => number | undefined;

/** A duration in milliseconds: a fixed one, or what an expression yields (a time from now, or a Go duration). */
export function durationSource(
  fixed: number | undefined,
  from: ExpressionSource | undefined,
  languages: StageLanguages,
): NumberSource {
  if (!from) return () => fixed;
  const { cel } = from;
  if (cel) {
    const evaluate = languages.cel().compile(cel.expression);
    return (object) => evaluate({ self: object }).durationMs() ?? fixed;
  }
  const query = languages.jq(from.jq?.expression ?? from.expressionFrom ?? '.');
  return (object, nowMs) => {
    const [first] = outputs(query.run, object) ?? [];
    if (first === '') return undefined;
    return typeof first === 'string' ? (parseWait(first, nowMs) ?? fixed) : fixed;
  };
}

/** A whole number: a fixed one, or what an expression yields. */
export function integerSource(
  fixed: number | undefined,
  from: ExpressionSource | undefined,
  languages: StageLanguages,
): NumberSource {
  if (!from) return () => fixed;
  const { cel } = from;
  if (cel) {
    const evaluate = languages.cel().compile(cel.expression);
    return (object) => evaluate({ self: object }).number() ?? fixed;
  }
  const query = languages.jq(from.jq?.expression ?? from.expressionFrom ?? '.');
  return (object) => {
    const found = outputs(query.run, object);
    if (!found || found.length === 0) return fixed;
    const [first] = found;
    if (typeof first === 'number') return Math.trunc(first);
    if (typeof first === 'string') return /^[-+]?\d+$/.test(first) ? Number(first) : undefined;
    return fixed;
  };
}

/** The outputs of a query; undefined when it fails on the object, which says no more than an absence. */
export function outputs(run: (input: unknown) => unknown[], object: unknown): unknown[] | undefined {
  try {
    return run(object);
  } catch (error) {
    if (error instanceof JqError) return undefined;
    throw error;
  }
}

function parseWait(text: string, nowMs: number): number | undefined {
  if (/^\d{4}-\d\d-\d\dT/.test(text)) {
    const time = Date.parse(text);
    return Number.isNaN(time) ? undefined : time - nowMs;
  }
  return /^[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|ms|s|m|h)/.test(text) ? durationMs(text) : undefined;
}
