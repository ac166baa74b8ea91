import { newBadRequest } from '../status/errors.ts';

/** One condition on one field. */
export interface FieldRequirement {
  readonly field: string;
  readonly operator: '=' | '!=';
  readonly value: string;
}

/** Conditions that must all hold; none select everything. */
export type FieldSelector = readonly FieldRequirement[];

/**
 * Reads the `fieldSelector` parameter: `a=b,c!=d`, with `\\`, `\,` and `\=` in values. Which fields exist is the
 * caller's to check. Throws a BadRequest with upstream's wording.
 */
export function parseFieldSelector(text: string): FieldSelector {
  return terms(text)
    .filter((term) => term !== '')
    .map((term) => {
      const match = /^((?:\\.|[^\\=!]|!(?!=))*?)(!=|==|=)(.*)$/s.exec(term);
      if (!match) throw newBadRequest(`invalid selector: '${text}'; can't understand '${term}'`);
      const [, field = '', operator, value = ''] = match;
      return { field, operator: operator === '!=' ? '!=' : '=', value: unescaped(value) };
    });
}

/** Cuts at the commas that no backslash escapes. */
function terms(text: string): string[] {
  return text.match(/(?:\\.|[^\\,]|\\$)+/gs) ?? [];
}

function unescaped(value: string): string {
  return value.replaceAll(
    /\\(.?)|([,=])/gs,
    (_match, escaped: string | undefined, bare: string | undefined) => {
      if (bare !== undefined)
        throw newBadRequest(
          `invalid field selector: invalid field selector: unescaped character in value: ${bare}`,
        );
      if (escaped === undefined || !['\\', ',', '='].includes(escaped)) {
        throw newBadRequest(`invalid field selector: invalid escape sequence: \\${escaped ?? ''}`);
      }
      return escaped;
    },
  );
}

/** Whether all conditions hold; `valueOf` gives a field's text, the empty string when it is unset. */
export function fieldsMatch(selector: FieldSelector, valueOf: (field: string) => string): boolean {
  return selector.every(({ field, operator, value }) => (valueOf(field) === value) === (operator === '='));
}

/** The selector in the syntax that {@link parseFieldSelector} reads. */
export function printFieldSelector(selector: FieldSelector): string {
  return selector
    .map(({ field, operator, value }) => `${field}${operator}${value.replaceAll(/[\\,=]/g, '\\$&')}`)
    .join(',');
}
