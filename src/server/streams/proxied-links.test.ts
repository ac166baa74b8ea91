import { Readable } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { createLinkRewriter, proxiedLink, rewriteLinks } from './proxied-links.ts';

const at = { prefix: '/p', host: '10.0.0.1:80' };

it.each([
  ['/a?b#c', '/p/a?b#c'],
  ['a/b', 'a/b'],
  ['#top', '#top'],
  ['/p/already', '/p/already'],
  ['http://10.0.0.1:80/x', '/p/x'],
  ['http://10.0.0.1:80', '/p/'],
  ['//10.0.0.1:80/x', '/p/x'],
  ['https://elsewhere.test/x', 'https://elsewhere.test/x'],
  ['mailto:a@b', 'mailto:a@b'],
])('%s leads to %s', (link, led) => {
  expect(proxiedLink(link, at)).toBe(led);
});

describe('a page', () => {
  const rows: readonly (readonly [string, string])[] = [
    ['<a href="/rewriteme">test</a>', '<a href="/p/rewriteme">test</a>'],
    ["<IMG alt=x SRC='/i.png' />", "<IMG alt=x SRC='/p/i.png' />"],
    ['<link href=/s.css rel=stylesheet>', '<link href=/p/s.css rel=stylesheet>'],
    ['<p title="/x">/y < z > é</p>', '<p title="/x">/y < z > é</p>'],
    ['<!-- <a href="/no"> --><a href="/yes">', '<!-- <a href="/no"> --><a href="/p/yes">'],
    [
      '<script src="/s.js">if (a<b) x = \'<a href="/no">\'</script><a href="/yes">',
      '<script src="/p/s.js">if (a<b) x = \'<a href="/no">\'</script><a href="/p/yes">',
    ],
    ['<a title="a > b" href="/x">', '<a title="a > b" href="/p/x">'],
    ['<form action="/f"><input formaction="/g">', '<form action="/p/f"><input formaction="/p/g">'],
    ['cut <a href="/x', 'cut <a href="/x'],
  ];

  it.each(rows)('%s becomes %s', async (page, rewritten) => {
    const whole = createLinkRewriter(at);
    expect(await text(Readable.from([Buffer.from(page)]).pipe(whole))).toBe(rewritten);
    const bytes = [...Buffer.from(page)].map((byte) => Buffer.from([byte]));
    expect(await text(Readable.from(bytes).pipe(createLinkRewriter(at)))).toBe(rewritten);
  });

  it('keeps its encoding, when that is known', async () => {
    const packed = gzipSync('<a href="/x">');
    const rewritten = rewriteLinks(Readable.from([packed]), 'gzip', at);
    expect(rewritten && gunzipSync(await buffer(rewritten)).toString()).toBe('<a href="/p/x">');
    expect(rewriteLinks(Readable.from([packed]), 'br', at)).toBeUndefined();
  });
});
