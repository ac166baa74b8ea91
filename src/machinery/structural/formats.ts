import { isIPv4, isIPv6 } from 'node:net';
import { parseDuration } from '../duration.ts';
import { dns1123LabelErrors, dns1123SubdomainErrors } from '../validation/names.ts';

const uuid = (version: string): RegExp =>
  new RegExp(`^[0-9a-f]{8}-?[0-9a-f]{4}-?${version}[0-9a-f]{3}-?[0-9a-f]{4}-?[0-9a-f]{12}$`, 'i');
const variantUuid = (version: string): RegExp =>
  new RegExp(`^[0-9a-f]{8}-?[0-9a-f]{4}-?${version}[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}$`, 'i');

const matching =
  (pattern: RegExp): ((text: string) => boolean) =>
  (text) =>
    pattern.test(text);

const dateTime = /^(\d{4}-\d{2}-\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(\.\d+)?([Zz]|[+-]\d{2}:?\d{2})$/;
const hostname =
  /^[a-zA-Z0-9\u00a1-\uffff]([a-zA-Z0-9\u00a1-\uffff-]*[a-zA-Z0-9\u00a1-\uffff])?(\.[a-zA-Z0-9\u00a1-\uffff]([a-zA-Z0-9\u00a1-\uffff-]*[a-zA-Z0-9\u00a1-\uffff])?)*\.?$/;

/** The string formats that Kubernetes' OpenAPI validation knows, without the dashes in their names. */
const formats: Readonly<Record<string, (text: string) => boolean>> = {
  bsonobjectid: matching(/^[0-9a-f]{24}$/i),
  byte: isBase64,
  cidr: isCidr,
  creditcard: (text) => /^[0-9 -]+$/.test(text) && isLuhn(text.replaceAll(/[ -]/g, '')),
  date: isDate,
  datetime: isDateTime,
  duration: isDuration,
  email: isEmail,
  hexcolor: matching(/^#?([0-9a-f]{3}|[0-9a-f]{6})$/i),
  hostname: isHostname,
  ipv4: isIPv4,
  ipv6: isIPv6,
  isbn: (text) => isIsbn10(text) || isIsbn13(text),
  isbn10: isIsbn10,
  isbn13: isIsbn13,
  k8slongname: (text) => dns1123SubdomainErrors(text).length === 0,
  k8sshortname: (text) => dns1123LabelErrors(text).length === 0,
  mac: isMac,
  password: () => true,
  rgbcolor: matching(
    /^rgb\(\s*(0|[1-9]\d?|1\d\d?|2[0-4]\d|25[0-5])\s*,\s*(0|[1-9]\d?|1\d\d?|2[0-4]\d|25[0-5])\s*,\s*(0|[1-9]\d?|1\d\d?|2[0-4]\d|25[0-5])\s*\)$/,
  ),
  ssn: matching(/^\d{3}[- ]?\d{2}[- ]?\d{4}$/),
  uri: isUri,
  uuid: matching(uuid('[0-9a-f]')),
  uuid3: matching(uuid('3')),
  uuid4: matching(variantUuid('4')),
  uuid5: matching(variantUuid('5')),
};

/** The format of that name, as values are checked against it; undefined for one that is not known. */
export function formatOf(name: string): ((text: string) => boolean) | undefined {
  const key = name.replaceAll('-', '');
  return Object.hasOwn(formats, key) ? formats[key] : undefined;
}

function isBase64(text: string): boolean {
  const bare = text.replaceAll(/[\r\n]/g, '');
  return bare.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(bare);
}

function isCidr(text: string): boolean {
  const [address = '', length = '', ...rest] = text.split('/');
  if (rest.length > 0 || !/^\d{1,3}$/.test(length)) return false;
  if (isIPv4(address)) return Number(length) <= 32;
  return isIPv6(address) && Number(length) <= 128;
}

function isDate(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const time = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text);
}

function isDateTime(text: string): boolean {
  const match = dateTime.exec(text);
  if (!match) return false;
  const [, date = '', hours, minutes, seconds] = match;
  return isDate(date) && Number(hours) < 24 && Number(minutes) < 60 && Number(seconds) < 60;
}

function isDuration(text: string): boolean {
  try {
    parseDuration(text);
    return true;
  } catch {
    return /^(\d+)\s*(nanos(econds?)?|ns|micros?|microseconds?|us|µs|millis|milliseconds?|ms|seconds?|secs?|s|minutes?|mins?|m|hours?|hrs?|h|days?|d|weeks?|wks?|w)$/.test(
      text.toLowerCase().trim(),
    );
  }
}

function isEmail(text: string): boolean {
  return (
    /^[^\s@<>()[\],;:\\"]+@[^\s@<>()[\],;:\\"]+$/.test(text) || /^[^<>]*<[^\s@<>]+@[^\s@<>]+>$/.test(text)
  );
}

function isHostname(text: string): boolean {
  if (text.length > 255 || !hostname.test(text)) return false;
  return text.split('.').every((label) => label.length <= 63);
}

function isMac(text: string): boolean {
  return (
    /^([0-9a-f]{2}[:-]){5}[0-9a-f]{2}$/i.test(text) ||
    /^([0-9a-f]{2}[:-]){7}[0-9a-f]{2}$/i.test(text) ||
    /^([0-9a-f]{2}[:-]){19}[0-9a-f]{2}$/i.test(text) ||
    /^([0-9a-f]{4}\.){2}[0-9a-f]{4}$/i.test(text) ||
    /^([0-9a-f]{4}\.){3}[0-9a-f]{4}$/i.test(text) ||
    /^([0-9a-f]{4}\.){9}[0-9a-f]{4}$/i.test(text)
  );
}

/** As Go's `url.ParseRequestURI` takes it: absolute, or a path from the root. */
function isUri(text: string): boolean {
  // oxlint-disable-next-line no-control-regex
  if (text === '' || /[\u0000-\u0020\u007f]/.test(text) || /%(?![0-9a-f]{2})/i.test(text)) return false;
  if (text.startsWith('/') || text === '*') return true;
  const match = /^([a-z][a-z0-9+.-]*):(.*)$/i.exec(text);
  if (!match) return false;
  const rest = match[2] ?? '';
  if (!rest.startsWith('//')) return true;
  const authority = rest.slice(2).split(/[/?#]/, 1)[0] ?? '';
  return /:\d*$/.test(authority) || !/:[^\]]*$/.test(authority.replace(/^[^@]*@/, ''));
}

function isLuhn(digits: string): boolean {
  let sum = 0;
  Array.from(digits)
    .toReversed()
    .forEach((digit, index) => {
      const value = Number(digit) * (index % 2 === 1 ? 2 : 1);
      sum += value > 9 ? value - 9 : value;
    });
  return digits.length >= 13 && sum % 10 === 0;
}

function isIsbn10(text: string): boolean {
  const digits = text.replaceAll(/[\s-]/g, '');
  if (!/^\d{9}[\dX]$/.test(digits)) return false;
  const sum = Array.from(digits).reduce(
    (total, digit, index) => total + (index + 1) * (digit === 'X' ? 10 : Number(digit)),
    0,
  );
  return sum % 11 === 0;
}

function isIsbn13(text: string): boolean {
  const digits = text.replaceAll(/[\s-]/g, '');
  if (!/^\d{13}$/.test(digits)) return false;
  const sum = Array.from(digits).reduce(
    (total, digit, index) => total + Number(digit) * (index % 2 === 0 ? 1 : 3),
    0,
  );
  return sum % 10 === 0;
}
