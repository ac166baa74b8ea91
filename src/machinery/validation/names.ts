const DNS_1123_LABEL = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const DNS_1123_SUBDOMAIN = `${DNS_1123_LABEL}(\\.${DNS_1123_LABEL})*`;
const QUALIFIED_NAME = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';

const NAME_WORDS =
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";

interface Pattern {
  readonly source: string;
  readonly regex: RegExp;
  readonly message: string;
}

function pattern(source: string, words: string, examples: readonly string[] = []): Pattern {
  const shown = examples.map((example) => `'${example}', `).join(' or ');
  return {
    source,
    regex: new RegExp(`^(?:${source})$`),
    message: `${words} (${shown === '' ? '' : `e.g. ${shown}`}regex used for validation is '${source}')`,
  };
}

const dns1123Label = pattern(
  DNS_1123_LABEL,
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
  ['my-name', '123-abc'],
);
const dns1035Label = pattern(
  '[a-z]([-a-z0-9]*[a-z0-9])?',
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character",
  ['my-name', 'abc-123'],
);
const dns1123Subdomain = pattern(
  DNS_1123_SUBDOMAIN,
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
  ['example.com'],
);
const wildcardSubdomain = pattern(
  `\\*\\.${DNS_1123_SUBDOMAIN}`,
  "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character",
  ['*.example.com'],
);
const namePart = pattern(QUALIFIED_NAME, NAME_WORDS, ['MyName', 'my.name', '123-abc']);
const labelKey = pattern(QUALIFIED_NAME, `a valid label key ${NAME_WORDS}`, ['MyName', 'my.name', '123-abc']);
const labelValue = pattern(
  `(${QUALIFIED_NAME})?`,
  `a valid label must be an empty string or ${NAME_WORDS.slice('must '.length)}`,
  ['MyValue', 'my_value', '12345'],
);
const configMapKey = pattern(
  '[-._a-zA-Z0-9]+',
  "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
  ['key.name', 'KEY_NAME', 'key-name'],
);
const ENVIRONMENT_NAME = /^[ -<>-~]+$/;
const httpHeaderName = pattern(
  '[-A-Za-z0-9]+',
  "a valid HTTP header must consist of alphanumeric characters or '-'",
  ['X-Header-Name'],
);
const httpPath = pattern("[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+", 'Invalid path');
const cIdentifier = pattern(
  '[A-Za-z_][A-Za-z0-9_]*',
  "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters or '_'",
  ['my_name', 'MY_NAME', 'MyName'],
);
const percent = pattern(
  '[0-9]+%',
  "a valid percent string must be a numeric string followed by an ending '%'",
  ['1%', '93%'],
);
const conditionReason = pattern(
  '[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?',
  "a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric characters or '_,:', and must end with an alphanumeric character or '_'",
  ['my_name', 'MY_NAME', 'MyName', 'ReasonA,ReasonB', 'ReasonA:ReasonB'],
);

/** Limits of names, in bytes. */
const MAX_LABEL_LENGTH = 63;
const MAX_SUBDOMAIN_LENGTH = 253;

/** How upstream counts in the message: names in characters, label keys and values in bytes. */
export type LengthUnit = 'bytes' | 'characters';

/** `must be no more than 63 bytes`. */
export function maxLengthMessage(length: number, unit: LengthUnit = 'bytes'): string {
  return `must be no more than ${length} ${unit}`;
}

/** `must be between 1 and 65535, inclusive`. */
export function rangeMessage(low: number, high: number): string {
  return `must be between ${low} and ${high}, inclusive`;
}

function bytes(value: string): number {
  return Buffer.byteLength(value);
}

function matched(
  value: string,
  rule: Pattern,
  { max, unit = 'characters' }: { readonly max: number; readonly unit?: LengthUnit },
): string[] {
  const messages: string[] = [];
  if (bytes(value) > max) messages.push(maxLengthMessage(max, unit));
  if (!rule.regex.test(value)) messages.push(rule.message);
  return messages;
}

/** What is wrong with an RFC 1123 label (namespace and container names), in upstream's words; nothing when it is one. */
export function dns1123LabelErrors(value: string): string[] {
  const messages = matched(value, dns1123Label, { max: MAX_LABEL_LENGTH });
  const dotted = !dns1123Label.regex.test(value) && dns1123Subdomain.regex.test(value);
  return dotted ? [...messages.slice(0, -1), 'must not contain dots'] : messages;
}

/** What is wrong with a label that must not start with a digit (RFC 1035). */
export function dns1035LabelErrors(value: string): string[] {
  const messages = bytes(value) > MAX_LABEL_LENGTH ? [maxLengthMessage(MAX_LABEL_LENGTH)] : [];
  return dns1035Label.regex.test(value) ? messages : [...messages, dns1035Label.message];
}

/** What is wrong with an RFC 1123 subdomain, the rule for most object names. */
export function dns1123SubdomainErrors(value: string, unit: LengthUnit = 'characters'): string[] {
  return matched(value, dns1123Subdomain, { max: MAX_SUBDOMAIN_LENGTH, unit });
}

/** What is wrong with `*.` and a subdomain. */
export function wildcardSubdomainErrors(value: string): string[] {
  return matched(value, wildcardSubdomain, { max: MAX_SUBDOMAIN_LENGTH });
}

/** What is wrong with a path in a URL (RFC 3986). */
export function httpPathErrors(value: string): string[] {
  return httpPath.regex.test(value) ? [] : [httpPath.message];
}

/** What is wrong with an identifier of C; its length is not looked at. */
export function cIdentifierErrors(value: string): string[] {
  return cIdentifier.regex.test(value) ? [] : [cIdentifier.message];
}

/** What is wrong with a label key, an annotation key or a resource name: `[prefix/]name`. */
export function qualifiedNameErrors(value: string): string[] {
  const parts = value.split('/');
  if (parts.length > 2) {
    return [`${labelKey.message} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`];
  }
  const messages: string[] = [];
  const name = parts.at(-1) ?? '';
  if (parts.length === 2) {
    const [prefix = ''] = parts;
    if (prefix === '') messages.push('prefix part must be non-empty');
    else messages.push(...dns1123SubdomainErrors(prefix).map((message) => `prefix part ${message}`));
  }
  if (name === '') messages.push('name part must be non-empty');
  else if (bytes(name) > MAX_LABEL_LENGTH) messages.push(`name part ${maxLengthMessage(MAX_LABEL_LENGTH)}`);
  if (!namePart.regex.test(name)) messages.push(`name part ${namePart.message}`);
  return messages;
}

/** What is wrong with a label's value. */
export function labelValueErrors(value: string): string[] {
  return matched(value, labelValue, { max: MAX_LABEL_LENGTH, unit: 'bytes' });
}

/** What is wrong with a key of a config map or secret. */
export function configMapKeyErrors(value: string): string[] {
  return [...matched(value, configMapKey, { max: MAX_SUBDOMAIN_LENGTH }), ...parentDirectoryErrors(value)];
}

/** What is wrong with the name of an environment variable. */
export function environmentNameErrors(value: string): string[] {
  return ENVIRONMENT_NAME.test(value)
    ? []
    : ["a valid environment variable name must consist only of printable ASCII characters other than '='"];
}

function parentDirectoryErrors(value: string): string[] {
  if (value === '.') return ["must not be '.'"];
  if (value === '..') return ["must not be '..'"];
  return value.startsWith('..') ? ["must not start with '..'"] : [];
}

/** What is wrong with the name of an HTTP header. */
export function httpHeaderNameErrors(value: string): string[] {
  return httpHeaderName.regex.test(value) ? [] : [httpHeaderName.message];
}

/** What is wrong with the reason of a condition. */
export function conditionReasonErrors(value: string): string[] {
  return conditionReason.regex.test(value) ? [] : [conditionReason.message];
}

/** What is wrong with `25%`. */
export function percentErrors(value: string): string[] {
  return percent.regex.test(value) ? [] : [percent.message];
}

/** What is wrong with the name of a port (`http`, at most 15 letters, digits and single hyphens). */
export function portNameErrors(value: string): string[] {
  const messages: string[] = [];
  if (bytes(value) > 15) messages.push(maxLengthMessage(15, 'characters'));
  if (!/^[-a-z0-9]+$/.test(value)) {
    messages.push('must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)');
  }
  if (!/[a-z]/.test(value)) messages.push('must contain at least one letter (a-z)');
  if (value.includes('--')) messages.push('must not contain consecutive hyphens');
  if (value.startsWith('-') || value.endsWith('-')) messages.push('must not begin or end with a hyphen');
  return messages;
}

/** What is wrong with a port number. */
export function portNumberErrors(value: number): string[] {
  return Number.isInteger(value) && value >= 1 && value <= 65_535 ? [] : [rangeMessage(1, 65_535)];
}

/** What is wrong with a name that only has to be one segment of a URL path (roles and bindings). */
export function pathSegmentNameErrors(value: string): string[] {
  if (value === '.' || value === '..') return [`may not be '${value}'`];
  return ['/', '%'].filter((part) => value.includes(part)).map((part) => `may not contain '${part}'`);
}

/** A name rule of one kind: `prefix` when the text is a `generateName`, which may end in a hyphen. */
export type NameRule = (name: string, options: { readonly prefix: boolean }) => string[];

/** Makes the rule for names from the rule for whole texts. */
export function nameRule(errors: (value: string) => string[]): NameRule {
  return (name, { prefix }) =>
    errors(prefix && name.length > 1 && name.endsWith('-') ? `${name.slice(0, -2)}a` : name);
}
