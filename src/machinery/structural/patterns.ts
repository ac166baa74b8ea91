let engine: typeof import('re2js').RE2JS | undefined;
const compiled = new Map<string, (text: string) => boolean>();
const compiledLimit = 4096;

/** Loads the engine of regular expressions, which only those who define or write custom resources need. */
export async function loadPatterns(): Promise<void> {
  engine ??= (await import('re2js')).RE2JS;
}

/**
 * Compiles a regular expression in Go's syntax (RE2), which matches in time linear to the text. {@link loadPatterns} must
 * have resolved. Throws with the engine's message for a pattern that is none.
 */
export function compilePattern(pattern: string): (text: string) => boolean {
  const known = compiled.get(pattern);
  if (known) return known;
  if (!engine) throw new Error('regular expressions are not loaded');
  const expression = engine.compile(pattern);
  const matches = (text: string): boolean => expression.matcher(text).find();
  if (compiled.size >= compiledLimit) compiled.clear();
  compiled.set(pattern, matches);
  return matches;
}

/** The engine itself, once {@link loadPatterns} has resolved. */
export function patternEngine(): typeof import('re2js').RE2JS | undefined {
  return engine;
}
