import { Transform, type Readable, type TransformCallback } from 'node:stream';
import { createDeflate, createGunzip, createGzip, createInflate } from 'node:zlib';

/** The attributes of HTML elements that hold URLs. */
const urlAttributes: Readonly<Record<string, readonly string[]>> = {
  a: ['href'],
  applet: ['codebase'],
  area: ['href'],
  audio: ['src'],
  base: ['href'],
  blockquote: ['cite'],
  body: ['background'],
  button: ['formaction'],
  command: ['icon'],
  del: ['cite'],
  embed: ['src'],
  form: ['action'],
  frame: ['longdesc', 'src'],
  head: ['profile'],
  html: ['manifest'],
  iframe: ['longdesc', 'src'],
  img: ['longdesc', 'src', 'usemap'],
  input: ['formaction', 'src', 'usemap'],
  ins: ['cite'],
  link: ['href'],
  object: ['classid', 'codebase', 'data', 'usemap'],
  q: ['cite'],
  script: ['src'],
  source: ['src'],
  track: ['src'],
  video: ['poster', 'src'],
};

/** Elements whose content is text, whatever it looks like. */
const rawText = new Set(['script', 'style', 'textarea', 'title', 'xmp', 'iframe', 'noembed', 'noframes']);

/** Longest piece that is held back while its end has not come; a longer one is passed on as it is. */
const longestTag = 64 * 1024;

const tagPattern = /^<([a-zA-Z][^\s/>]*)((?:[^>"']|"[^"]*"|'[^']*')*)>/;
const attributePattern = /([^\s=>/"']+)(\s*=\s*)("[^"]*"|'[^']*'|[^\s"'>]+)/g;

/**
 * Where a link of a proxied page leads from outside: a path of the page's own server is put below `prefix`, anything else stays.
 * `host` is that server's `host:port`.
 */
export function proxiedLink(link: string, { prefix, host }: ProxiedAt): string {
  const own = /^(?:https?:)?\/\/([^/?#]*)(.*)$/i.exec(link);
  if (own) return own[1] === host ? proxiedLink(own[2] || '/', { prefix, host }) : link;
  if (!link.startsWith('/') || link.startsWith(`${prefix}/`)) return link;
  return `${prefix}${link}`;
}

/** A server that is seen through another one. */
export interface ProxiedAt {
  /** Path of the outer server without a slash at its end. */
  readonly prefix: string;
  /** `host:port` of the inner one. */
  readonly host: string;
}

function rewriteTag(tag: string, at: ProxiedAt): string {
  const [, name = '', attributes = ''] = tagPattern.exec(tag) ?? [];
  const links = urlAttributes[name.toLowerCase()];
  if (!links) return tag;
  const rewritten = attributes.replaceAll(
    attributePattern,
    (whole, attribute: string, equals: string, value: string) => {
      if (!links.includes(attribute.toLowerCase())) return whole;
      const quote = /^["']/.test(value) ? (value[0] ?? '') : '';
      const bare = quote ? value.slice(1, -1) : value;
      return `${attribute}${equals}${quote}${proxiedLink(bare, at)}${quote}`;
    },
  );
  return `<${name}${rewritten}>`;
}

/** Rewrites the links of an HTML document as it passes (apimachinery's proxy `Transport`). Bytes that are no links stay as they are. */
export function createLinkRewriter(at: ProxiedAt): Transform {
  let held = '';
  let rawEnd: RegExp | undefined;

  /** What can be passed on of `held`; the rest stays held. */
  function pass(last: 'last' | 'more'): string {
    let out = '';
    for (;;) {
      if (rawEnd) {
        const end = rawEnd.exec(held);
        // The end may be cut in two.
        const upTo = end ? end.index : last === 'last' ? held.length : Math.max(0, held.length - 16);
        out += held.slice(0, upTo);
        held = held.slice(upTo);
        if (!end) return out;
        rawEnd = undefined;
      }
      const open = held.indexOf('<');
      if (open < 0) {
        out += held;
        held = '';
        return out;
      }
      out += held.slice(0, open);
      held = held.slice(open);
      const piece = nextPiece(held);
      if (piece === undefined) {
        if (last === 'more' && held.length < longestTag) return out;
        out += held.slice(0, 1);
        held = held.slice(1);
        continue;
      }
      held = held.slice(piece.length);
      out += rewriteTag(piece, at);
      const name = /^<([a-zA-Z][^\s/>]*)/.exec(piece)?.[1]?.toLowerCase();
      if (name !== undefined && rawText.has(name)) rawEnd = new RegExp(`</${name}`, 'i');
    }
  }

  return new Transform({
    transform(chunk: Buffer, _encoding, callback: TransformCallback) {
      held += chunk.toString('latin1');
      callback(null, Buffer.from(pass('more'), 'latin1'));
    },
    flush(callback: TransformCallback) {
      callback(null, Buffer.from(pass('last'), 'latin1'));
    },
  });
}

/** A whole tag, comment or declaration at the beginning of `text`; a lone `<` where none begins; undefined until it is whole. */
function nextPiece(text: string): string | undefined {
  if (text.startsWith('<!--')) {
    const end = text.indexOf('-->', 4);
    return end < 0 ? undefined : text.slice(0, end + 3);
  }
  if (text.length < 2) return undefined;
  if (/^<[a-zA-Z]/.test(text)) return tagPattern.exec(text)?.[0];
  if (!/^<[/!?]/.test(text)) return '<';
  const end = text.indexOf('>');
  return end < 0 ? undefined : text.slice(0, end + 1);
}

/** The body of a proxied page with its links rewritten, encoded as it was; undefined when its encoding is not known. */
export function rewriteLinks(
  body: Readable,
  encoding: string | undefined,
  at: ProxiedAt,
): Readable | undefined {
  const coders = { gzip: [createGunzip, createGzip], deflate: [createInflate, createDeflate] } as const;
  if (encoding === undefined || encoding === '' || encoding === 'identity')
    return chain(body, [createLinkRewriter(at)]);
  if (encoding !== 'gzip' && encoding !== 'deflate') return undefined;
  const [decode, encode] = coders[encoding];
  return chain(body, [decode(), createLinkRewriter(at), encode()]);
}

/** Joins streams so that an error anywhere ends the last. */
function chain(first: Readable, steps: readonly Transform[]): Readable {
  return steps.reduce<Readable>((from, to) => {
    from.on('error', (error) => to.destroy(error));
    return from.pipe(to);
  }, first);
}
