/** In which styles libyaml may write a text inside block collections. */
export interface ScalarAnalysis {
  readonly plain: boolean;
  readonly singleQuoted: boolean;
  /** As a literal block. */
  readonly block: boolean;
}

// oxlint-disable-next-line no-control-regex
const special =
  /[^\n\u0020-\u007e\u0080-\uffff]|[\u0080-\u009f\u2028\u2029\ufeff\ufffe\uffff]|[\ud800-\udfff]/;
const startIndicators = new Set('#,[]{}&*!|>\'"%@`');

/** Follows libyaml's `yaml_emitter_analyze_scalar`. */
export function analyzeScalar(text: string): ScalarAnalysis {
  if (text === '') return { plain: false, singleQuoted: true, block: false };
  const unwritable = special.test(text) || / \n/.test(text);
  if (unwritable) return { plain: false, singleQuoted: false, block: false };
  const edges = /^[ \n]|[ \n]$/.test(text);
  return {
    plain: !edges && !text.includes('\n') && !hasIndicators(text),
    singleQuoted: !/\n /.test(text),
    block: !text.endsWith(' '),
  };
}

function hasIndicators(text: string): boolean {
  if (text.startsWith('---') || text.startsWith('...')) return true;
  const first = text.charAt(0);
  if (startIndicators.has(first)) return true;
  const blankFollows = text.length === 1 || text[1] === ' ';
  if ((first === '?' || first === ':' || first === '-') && blankFollows) return true;
  return /:(?: |$)/.test(text) || / #/.test(text);
}
