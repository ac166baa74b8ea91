import { DYN, STRING } from '../cel-type.ts';
import type { TypeProvider } from '../cel-type.ts';
import type { FunctionLibrary } from '../function-table.ts';
import { asText } from '../value-guards.ts';

/** Functions of mutating policies. */
export function jsonPatchFunctions(): FunctionLibrary {
  return [
    {
      id: 'string_jsonpatch_escapeKey_string',
      signature: 'jsonpatch.escapeKey(string) -> string',
      run: (key) => asText(key).replaceAll('~', '~0').replaceAll('/', '~1'),
    },
  ];
}

const OBJECT = /^Object(?:\.[A-Za-z_][A-Za-z0-9_]*)*$/;
const PATCH_FIELDS = new Set(['op', 'path', 'from']);

/** The types that mutating policies make values of: `JSONPatch` and `Object`, whose fields may be anything. */
export const MUTATION_TYPES: TypeProvider = {
  hasType: (name) => name === 'JSONPatch' || OBJECT.test(name),
  fieldType(typeName, field) {
    if (typeName !== 'JSONPatch') return DYN;
    if (PATCH_FIELDS.has(field)) return STRING;
    return field === 'value' ? DYN : undefined;
  },
};
