import type { TemplateFunction } from './template-function.ts';

/** Whether a member of a template's data is a function or method. */
export function isFunctionValue(value: unknown): value is TemplateFunction {
  if (typeof value !== 'object' || value === null) return false;
  return 'parameters' in value && 'call' in value && typeof value.call === 'function';
}
