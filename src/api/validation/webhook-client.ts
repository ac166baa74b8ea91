import { type FieldError, invalid, required } from '../../machinery/field-error.ts';
import { goQuote } from '../../machinery/go-quote.ts';
import { dns1123SubdomainErrors, portNumberErrors } from '../../machinery/validation/names.ts';

/** Scheme, authority, query and fragment. */
const shape = /^(?:([A-Za-z][A-Za-z0-9+.-]*):)?(?:\/\/([^/?#]*))?[^?#]*(?:\?([^#]*))?(?:#(.*))?$/s;

function parseFailure(text: string): string | undefined {
  if (/\p{Cc}/u.test(text)) return 'net/url: invalid control character in URL';
  if (text.startsWith(':')) return 'missing protocol scheme';
  const escape = /%(?![0-9A-Fa-f]{2}).{0,2}/.exec(text);
  return escape ? `invalid URL escape ${goQuote(escape[0])}` : undefined;
}

const form = '; desired format: https://host[/path]';

/** Everything wrong with the address of a webhook, in the words of upstream's `webhook.ValidateWebhookURL`. */
export function validateWebhookUrl(text: string, field: string): FieldError[] {
  const unreadable = parseFailure(text);
  if (unreadable !== undefined) {
    return [required(field, `url must be a valid URL: parse ${goQuote(text)}: ${unreadable}${form}`)];
  }
  const [, scheme = '', authority = '', query = '', fragment = ''] = shape.exec(text) ?? [];
  const at = authority.lastIndexOf('@');
  const host = authority.slice(at + 1);
  const errors: FieldError[] = [];
  if (scheme.toLowerCase() !== 'https') {
    errors.push(invalid(field, scheme.toLowerCase(), `'https' is the only allowed URL scheme${form}`));
  }
  if (host === '') errors.push(invalid(field, host, `host must be specified${form}`));
  if (at >= 0) {
    errors.push(invalid(field, authority.slice(0, at), 'user information is not permitted in the URL'));
  }
  if (fragment !== '') errors.push(invalid(field, fragment, 'fragments are not permitted in the URL'));
  if (query !== '') errors.push(invalid(field, query, 'query parameters are not permitted in the URL'));
  return errors;
}

/** A service that serves webhooks, as configurations and conversions name it. */
export interface WebhookService {
  readonly name: string;
  readonly namespace: string;
  readonly path?: string;
  readonly port?: number;
}

/** Everything wrong with the service of a webhook, in the words of upstream's `webhook.ValidateWebhookService`. */
export function validateWebhookService(service: WebhookService, field: string): FieldError[] {
  const errors: FieldError[] = [];
  // Upstream's callers pass name and namespace the wrong way round: each is reported at the other's field.
  if (service.namespace === '') errors.push(required(`${field}.name`));
  if (service.name === '') errors.push(required(`${field}.namespace`));
  const port = service.port ?? 0;
  const wrong = portNumberErrors(port);
  if (wrong.length > 0) {
    errors.push(invalid(`${field}.port`, port, `port is not valid: ${wrong.join(',')}`));
  }
  return [...errors, ...validatePath(service.path ?? '', `${field}.path`)];
}

function validatePath(path: string, field: string): FieldError[] {
  if (path === '' || path === '/') return [];
  if (path === '//') return [invalid(field, path, 'segment[0] may not be empty')];
  const errors = path.startsWith('/') ? [] : [invalid(field, path, "must start with a '/'")];
  const segments = path.slice(1).replace(/\/$/, '').split('/');
  for (const [index, segment] of segments.entries()) {
    if (segment === '') {
      errors.push(invalid(field, path, `segment[${index}] may not be empty`));
      continue;
    }
    for (const message of dns1123SubdomainErrors(segment)) {
      errors.push(invalid(field, path, `segment[${index}]: ${message}`));
    }
  }
  return errors;
}
