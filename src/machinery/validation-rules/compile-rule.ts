import { optionalOf } from '../cel/cel-type.ts';
import { CelCompileError } from '../cel/compile-error.ts';
import { celEnvironment } from '../cel/environment.ts';
import type { CelBase } from '../cel/environment.ts';
import { compile } from '../cel/program.ts';
import type { Program } from '../cel/program.ts';
import { schemaTypes } from '../cel/schema-type.ts';
import type { SchemaType } from '../cel/schema-type.ts';
import type { ValidationRule } from '../structural/structural-schema.ts';
import { resolveFieldPath } from './rule-field-path.ts';

/** A rule's expressions, or why they do not compile. */
export interface CompiledRule {
  readonly rule: ValidationRule;
  readonly program?: Program;
  readonly error?: string;
  readonly message?: Program;
  readonly messageError?: string;
  /** Whether the rule compares with the old value. */
  readonly usesOldSelf: boolean;
  /** Where its violations are reported, below its own place. */
  readonly fieldPath?: string;
}

type Compiled = { readonly program: Program } | { readonly error: string };

/** Compiles a rule with `self` and `oldSelf` of the type. A blank rule has neither program nor error. */
export function compileRule(rule: ValidationRule, type: SchemaType, base: CelBase): CompiledRule {
  if (rule.rule === undefined || rule.rule.trim() === '') return { rule, usesOldSelf: false };
  const oldSelf = rule.optionalOldSelf === true ? optionalOf(type.type) : type.type;
  const environment = celEnvironment(base, { self: type.type, oldSelf }, schemaTypes(type));
  const expression = attempt(() => compile(rule.rule, environment), 'compilation failed: ');
  if ('error' in expression) return { rule, usesOldSelf: false, error: expression.error };
  const usesOldSelf = expression.program.uses('oldSelf');
  if (expression.program.type.kind !== 'bool') {
    return { rule, usesOldSelf: false, error: 'cel expression must evaluate to a bool' };
  }
  const compiled = { rule, program: expression.program, usesOldSelf, ...pathOf(rule, type) };
  const text = rule.messageExpression ?? '';
  if (text === '') return compiled;
  const message = attempt(() => compile(text, environment), 'messageExpression compilation failed: ');
  if ('error' in message) return { ...compiled, messageError: message.error };
  if (message.program.type.kind !== 'string') {
    return { ...compiled, messageError: 'messageExpression must evaluate to a string' };
  }
  return { ...compiled, message: message.program };
}

function attempt(run: () => Program, prefix: string): Compiled {
  try {
    return { program: run() };
  } catch (error) {
    if (error instanceof CelCompileError) return { error: `${prefix}${error.message}` };
    throw error;
  }
}

function pathOf(rule: ValidationRule, type: SchemaType): { readonly fieldPath?: string } {
  if (rule.fieldPath === undefined || rule.fieldPath === '') return {};
  const resolved = resolveFieldPath(rule.fieldPath, type.schema);
  return 'path' in resolved ? { fieldPath: resolved.path } : {};
}
