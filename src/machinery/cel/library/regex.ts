import type { RE2JS } from 're2js';
import { loadPatterns, patternEngine } from '../../structural/patterns.ts';
import { CelPendingError, evaluationError } from '../evaluation-error.ts';
import type { FunctionLibrary } from '../function-table.ts';
import { asInt, asText } from '../value-guards.ts';
import { listOfValues } from '../value.ts';
import type { CelValue } from '../value.ts';

const MAX_CACHED = 1000;

/** `matches` of the standard library and Kubernetes' `find` and `findAll`, in RE2's syntax and linear time. */
export function regexFunctions(): FunctionLibrary {
  const compiled = new Map<string, RE2JS>();
  const compile = (pattern: string): RE2JS => {
    const known = compiled.get(pattern);
    if (known) return known;
    const fresh = compileRegex(pattern);
    if (compiled.size >= MAX_CACHED) compiled.clear();
    compiled.set(pattern, fresh);
    return fresh;
  };
  const matches = (text?: CelValue, pattern?: CelValue): CelValue =>
    compile(asText(pattern)).matcher(asText(text)).find();
  const findAll = (text?: CelValue, pattern?: CelValue, limit?: CelValue): CelValue => {
    const max = limit === undefined ? -1n : asInt(limit);
    const matcher = compile(asText(pattern)).matcher(asText(text));
    const found: string[] = [];
    while (matcher.find()) {
      if (max >= 0n && BigInt(found.length) >= max) break;
      found.push(matcher.group() ?? '');
    }
    return listOfValues(found);
  };
  return [
    { id: 'matches', signature: 'matches(string, string) -> bool', run: matches },
    { id: 'matches_string', signature: '<string>.matches(string) -> bool', run: matches },
    {
      id: 'string_find_string',
      signature: '<string>.find(string) -> string',
      run: (text, pattern) => {
        const matcher = compile(asText(pattern)).matcher(asText(text));
        return matcher.find() ? (matcher.group() ?? '') : '';
      },
    },
    { id: 'string_find_all_string', signature: '<string>.findAll(string) -> list(string)', run: findAll },
    {
      id: 'string_find_all_string_int',
      signature: '<string>.findAll(string, int) -> list(string)',
      run: findAll,
    },
  ];
}

/** A compiled pattern; fails with Go's message. */
function compileRegex(pattern: string): RE2JS {
  const engine = patternEngine();
  if (!engine) throw new CelPendingError(loadPatterns);
  try {
    return engine.compile(pattern);
  } catch (error) {
    if (!(error instanceof Error) || !error.message.startsWith('error parsing regexp')) throw error;
    return evaluationError(error.message);
  }
}
