import { formatOf } from '../../structural/formats.ts';
import {
  dns1035LabelErrors,
  dns1123LabelErrors,
  dns1123SubdomainErrors,
  labelValueErrors,
  qualifiedNameErrors,
} from '../../validation/names.ts';
import type { FunctionLibrary } from '../function-table.ts';
import { parseRequestUri } from '../request-uri.ts';
import { asOpaque, asText } from '../value-guards.ts';
import { NONE, listOfValues, some } from '../value.ts';
import type { CelOpaque, CelValue } from '../value.ts';

interface NamedFormat {
  readonly name: string;
  readonly errors: (text: string) => string[];
  /** What costs count. */
  readonly patternSize: number;
}

const TYPE = 'kubernetes.NamedFormat';

/** Kubernetes' named formats: `format.dns1123Label().validate(text)`. */
export function formatFunctions(): FunctionLibrary {
  const formats = new Map(namedFormats().map((format) => [format.name, opaque(format)]));
  return [
    ...[...formats].map(([name, value]) => ({
      id: `format.${name}`,
      signature: `format.${name}() -> ${TYPE}`,
      run: () => value,
    })),
    {
      id: 'format-named',
      signature: `format.named(string) -> optional_type(${TYPE})`,
      run: (name) => {
        const found = formats.get(asText(name));
        return found ? some(found) : NONE;
      },
    },
    {
      id: 'format-validate',
      signature: `<${TYPE}>.validate(string) -> optional_type(list(string))`,
      run: validate,
    },
  ];
}

function opaque(format: NamedFormat): CelOpaque {
  return { kind: 'opaque', typeName: TYPE, payload: format, equals: (other) => other === format };
}

function validate(format?: CelValue, text?: CelValue): CelValue {
  const errors = (asOpaque(format).payload as NamedFormat).errors(asText(text));
  return errors.length === 0 ? NONE : some(listOfValues(errors));
}

/** Prefixes may end in a dash, as a name will be added to them. */
function prefixOf(errors: (text: string) => string[]): (text: string) => string[] {
  return (text) => errors(text.length > 1 && text.endsWith('-') ? `${text.slice(0, -2)}a` : text);
}

function matching(format: string, message: string): (text: string) => string[] {
  return (text) => (formatOf(format)?.(text) === false ? [message] : []);
}

function namedFormats(): NamedFormat[] {
  return [
    { name: 'dns1123Label', errors: dns1123LabelErrors, patternSize: 30 },
    { name: 'dns1123Subdomain', errors: dns1123SubdomainErrors, patternSize: 60 },
    { name: 'dns1035Label', errors: dns1035LabelErrors, patternSize: 30 },
    { name: 'qualifiedName', errors: qualifiedNameErrors, patternSize: 60 },
    { name: 'dns1123LabelPrefix', errors: prefixOf(dns1123LabelErrors), patternSize: 30 },
    { name: 'dns1123SubdomainPrefix', errors: prefixOf(dns1123SubdomainErrors), patternSize: 60 },
    { name: 'dns1035LabelPrefix', errors: prefixOf(dns1035LabelErrors), patternSize: 30 },
    { name: 'labelValue', errors: labelValueErrors, patternSize: 40 },
    {
      name: 'uri',
      patternSize: 700,
      errors: (text) => {
        const parsed = parseRequestUri(text);
        return 'error' in parsed ? [parsed.error] : [];
      },
    },
    { name: 'uuid', errors: matching('uuid', 'does not match the UUID format'), patternSize: 68 },
    { name: 'byte', errors: matching('byte', 'invalid base64'), patternSize: 95 },
    { name: 'date', errors: matching('date', 'invalid date'), patternSize: 101 },
    { name: 'datetime', errors: matching('datetime', 'invalid datetime'), patternSize: 101 },
  ];
}
