/** The target of a request, taken apart. */
export interface RequestTarget {
  /** As it came, without the query. */
  readonly path: string;
  /** For matching: dot segments are resolved. */
  readonly matchedPath: string;
  /** With its question mark; empty when there is none. */
  readonly query: string;
  /** Host of a target in absolute form. */
  readonly authority?: string;
}

const dotSegment = /(?:^|\/)(?:\.|%2e){1,2}(?:\/|$)/i;

/** Reads a request target in origin or absolute form (RFC 9112, 3.2); undefined for others. */
export function parseTarget(target: string): RequestTarget | undefined {
  let text = target;
  let authority: string | undefined;
  if (!text.startsWith('/')) {
    const absolute = /^https?:\/\/([^/?#]+)(.*)$/i.exec(text);
    if (!absolute) return target === '*' ? { path: '*', matchedPath: '*', query: '' } : undefined;
    authority = absolute[1] ?? '';
    const rest = absolute[2] ?? '';
    text = rest.startsWith('/') ? rest : `/${rest}`;
  }
  const mark = text.indexOf('?');
  const path = mark < 0 ? text : text.slice(0, mark);
  return {
    path,
    matchedPath: dotSegment.test(path) ? withoutDots(path) : path,
    query: mark < 0 ? '' : text.slice(mark),
    ...(authority !== undefined && { authority }),
  };
}

function withoutDots(path: string): string {
  const kept: string[] = [];
  const segments = path.split('/').slice(1);
  segments.forEach((segment, at) => {
    const plain = segment.replaceAll(/%2e/gi, '.');
    const last = at === segments.length - 1;
    if (plain === '..') kept.pop();
    else if (plain !== '.') kept.push(segment);
    if (last && (plain === '.' || plain === '..')) kept.push('');
  });
  return `/${kept.join('/')}`;
}

/** The name in a Host field, in lower case and without its port and trailing dot. */
export function hostName(authority: string): string {
  const bracket = authority.startsWith('[') ? authority.indexOf(']') : -1;
  const colon = authority.indexOf(':', bracket + 1);
  const name = (colon < 0 ? authority : authority.slice(0, colon)).toLowerCase();
  return name.endsWith('.') ? name.slice(0, -1) : name;
}

/** Whether a Host field can be one (RFC 9110, 7.2): a name or an address, and maybe a port. */
export function isAuthority(text: string): boolean {
  return /^(?:[\w.~%!$&'()*+,;=-]+|\[[\da-fA-F:.]+\])(?::\d{0,5})?$/.test(text);
}
