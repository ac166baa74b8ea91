import { evaluationError } from '../evaluation-error.ts';
import type { FunctionLibrary } from '../function-table.ts';
import { parseQuery, parseRequestUri } from '../request-uri.ts';
import type { RequestUri } from '../request-uri.ts';
import { asOpaque, asText } from '../value-guards.ts';
import { listOfValues, mapOfEntries } from '../value.ts';
import type { CelValue } from '../value.ts';

const TYPE = 'kubernetes.URL';

/** Kubernetes' URL library. */
export function urlFunctions(): FunctionLibrary {
  return [
    { id: 'string_to_url', signature: `url(string) -> ${TYPE}`, run: toUrl },
    {
      id: 'is_url_string',
      signature: 'isURL(string) -> bool',
      run: (text) => !('error' in parseRequestUri(asText(text))),
    },
    { id: 'url_get_scheme', signature: `<${TYPE}>.getScheme() -> string`, run: (url) => uriOf(url).scheme },
    { id: 'url_get_host', signature: `<${TYPE}>.getHost() -> string`, run: (url) => uriOf(url).host },
    {
      id: 'url_get_hostname',
      signature: `<${TYPE}>.getHostname() -> string`,
      run: (url) => splitHost(uriOf(url).host).name,
    },
    {
      id: 'url_get_port',
      signature: `<${TYPE}>.getPort() -> string`,
      run: (url) => splitHost(uriOf(url).host).port,
    },
    {
      id: 'url_get_escaped_path',
      signature: `<${TYPE}>.getEscapedPath() -> string`,
      run: (url) => uriOf(url).escapedPath,
    },
    { id: 'url_get_query', signature: `<${TYPE}>.getQuery() -> map(string, list(string))`, run: queryOf },
  ];
}

function uriOf(value: CelValue | undefined): RequestUri {
  return asOpaque(value).payload as RequestUri;
}

function toUrl(text?: CelValue): CelValue {
  const source = asText(text);
  const parsed = parseRequestUri(source);
  if ('error' in parsed)
    return evaluationError(`URL parse error during conversion from string: ${parsed.error}`);
  const printed = printUri(parsed);
  return {
    kind: 'opaque',
    typeName: TYPE,
    payload: parsed,
    equals: (other) => printUri(other as RequestUri) === printed,
  };
}

function printUri({ scheme, host, escapedPath, rawQuery }: RequestUri): string {
  return `${scheme}://${host}${escapedPath}?${rawQuery}`;
}

function splitHost(host: string): { readonly name: string; readonly port: string } {
  const [, name = '', port = ''] = /^(.*?)(?::([0-9]*))?$/s.exec(host) ?? [];
  const bare = name.startsWith('[') && name.endsWith(']') ? name.slice(1, -1) : name;
  return { name: bare, port };
}

function queryOf(url?: CelValue): CelValue {
  const entries = [...parseQuery(uriOf(url).rawQuery)].map(
    ([name, values]) => [`s${name}`, [name, listOfValues(values)] as const] as const,
  );
  return mapOfEntries(new Map(entries));
}
