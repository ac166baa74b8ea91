import { gzipSync } from 'node:zlib';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { lstat, mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pack } from 'tar-stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sha256 } from './digest.ts';
import { createDistribution } from './distribution.ts';
import type { Distribution } from './distribution.ts';
import { createImageService } from './image-service.ts';
import { ImageStore } from './image-store.ts';
import { hostPlatform } from './manifest.ts';
import { parseReference } from './reference.ts';
import { unpackLayer } from './unpack.ts';

type TarEntry = {
  name: string;
  type?: 'file' | 'directory' | 'symlink' | 'link';
  linkname?: string;
  content?: string;
};

let directory: string;
let store: ImageStore;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kanoe-oci-'));
  store = new ImageStore({ directory, platform: hostPlatform(), unpack: unpackLayer });
});

afterEach(async () => rm(directory, { recursive: true, force: true }));

async function tar(entries: readonly TarEntry[]): Promise<Buffer> {
  const archive = pack();
  for (const { name, type = 'file', linkname, content = '' } of entries)
    archive.entry({ name, type, ...(linkname ? { linkname } : {}) }, type === 'file' ? content : '');
  archive.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of archive) chunks.push(Buffer.from(chunk as Uint8Array));
  return Buffer.concat(chunks);
}

/** An image in memory, as any registry would serve it. */
async function image(
  layers: readonly (readonly TarEntry[])[],
  config: object = {},
): Promise<Distribution & { blobs: Map<string, Buffer>; manifestBody: Buffer }> {
  const blobs = new Map<string, Buffer>();
  const diffIds: string[] = [];
  const descriptors: object[] = [];
  for (const entries of layers) {
    const plain = await tar(entries);
    const blob = gzipSync(plain);
    diffIds.push(sha256(plain));
    blobs.set(sha256(blob), blob);
    descriptors.push({
      mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
      digest: sha256(blob),
      size: blob.length,
    });
  }
  const configBody = Buffer.from(
    JSON.stringify({
      ...hostPlatform(),
      config: { Cmd: ['sh'] },
      rootfs: { type: 'layers', diff_ids: diffIds },
      ...config,
    }),
  );
  blobs.set(sha256(configBody), configBody);
  const manifestBody = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      config: { mediaType: 'c', digest: sha256(configBody), size: configBody.length },
      layers: descriptors,
    }),
  );
  return {
    blobs,
    manifestBody,
    manifest: async () => ({
      body: manifestBody,
      digest: sha256(manifestBody),
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
    }),
    blob: async (_reference, digest) => Readable.from([blobs.get(digest) ?? Buffer.alloc(0)]),
  };
}

describe('ImageStore', () => {
  it('keeps one directory for each layer and names the image by tag and digest', async () => {
    const source = await image([
      [
        { name: 'etc/', type: 'directory' },
        { name: 'etc/a', content: 'one' },
      ],
      [{ name: './etc/b', content: 'two' }],
    ]);
    const stored = await store.fetch(source, parseReference('team/app:1'));
    expect(stored.tags).toEqual(['docker.io/team/app:1']);
    expect(stored.digests).toEqual([`docker.io/team/app@${sha256(source.manifestBody)}`]);
    expect(stored.config.cmd).toEqual(['sh']);
    expect(stored.layers).toHaveLength(2);
    expect(await readFile(join(stored.layers[1] ?? '', 'etc/b'), 'utf8')).toBe('two');
    expect(await store.resolve('team/app:1')).toEqual(stored);
    expect(await store.resolve('team/app:2')).toBeUndefined();
  });

  it('shows an image with whiteouts as one merged directory', async () => {
    const source = await image([
      [
        { name: 'keep', content: 'k' },
        { name: 'gone', content: 'g' },
        { name: 'dir/old', content: 'o' },
      ],
      [{ name: '.wh.gone' }, { name: 'dir/.wh..wh..opq' }, { name: 'dir/new', content: 'n' }],
      [{ name: 'top', content: 't' }],
    ]);
    const stored = await store.fetch(source, parseReference('app'));
    expect(stored.layers).toHaveLength(2);
    const [merged = '', top = ''] = stored.layers;
    expect((await readdir(merged)).sort()).toEqual(['dir', 'keep']);
    expect(await readdir(join(merged, 'dir'))).toEqual(['new']);
    expect(await readdir(top)).toEqual(['top']);
  });

  it('never writes outside the layer', async () => {
    const outside = join(directory, 'outside');
    const source = await image([
      [
        { name: '../escape', content: 'x' },
        { name: '/absolute', content: 'x' },
        { name: 'link', type: 'symlink', linkname: outside },
        { name: 'link/through', content: 'x' },
        { name: 'up', type: 'symlink', linkname: '../../../..' },
        { name: 'up/through', content: 'x' },
      ],
    ]);
    const stored = await store.fetch(source, parseReference('evil'));
    await expect(lstat(outside)).rejects.toThrow('ENOENT');
    const [layer = ''] = stored.layers;
    expect(await readdir(layer)).toEqual(expect.arrayContaining(['absolute', 'escape', 'through']));
    expect(await readdir(join(layer, directory))).toEqual(['outside']);
  });

  it('refuses content whose digest is another', async () => {
    const source = await image([[{ name: 'a', content: '1' }]]);
    for (const [digest, blob] of source.blobs)
      if (blob[0] === 0x1f) source.blobs.set(digest, gzipSync('other'));
    await expect(store.fetch(source, parseReference('app'))).rejects.toMatchObject({ code: 'CORRUPT' });
    expect(await store.list()).toEqual([]);
  });

  it('refuses an image made for another system', async () => {
    const source = await image([[]], { os: 'plan9' });
    await expect(store.fetch(source, parseReference('app'))).rejects.toMatchObject({
      code: 'WRONG_PLATFORM',
    });
  });

  it('removes what no other image uses', async () => {
    const shared = [{ name: 'base', content: 'b' }];
    const one = await store.fetch(
      await image([shared, [{ name: '1', content: '1' }]]),
      parseReference('one'),
    );
    const two = await store.fetch(
      await image([shared, [{ name: '2', content: '2' }]]),
      parseReference('two'),
    );
    await store.remove(one.id);
    expect((await store.list()).map((left) => left.id)).toEqual([two.id]);
    expect(await readdir(join(directory, 'layers'))).toHaveLength(2);
  });
});

describe('pulling from a registry', () => {
  it('answers bearer challenges, follows a mirror and verifies digests', async () => {
    const source = await image([[{ name: 'a', content: '1' }]]);
    const seen: string[] = [];
    const server = createServer((request, response) => {
      const url = new URL(request.url ?? '/', 'http://x');
      const address = server.address() as AddressInfo;
      seen.push(`${request.headers.authorization ?? '-'} ${url.pathname}`);
      if (url.pathname === '/token') {
        response.end(JSON.stringify({ token: `t:${url.searchParams.get('scope')}` }));
      } else if (!request.headers.authorization?.startsWith('Bearer t:')) {
        response
          .writeHead(401, {
            'www-authenticate': `Bearer realm="http://127.0.0.1:${address.port}/token",service="s"`,
          })
          .end();
      } else if (url.pathname.includes('/manifests/missing')) {
        response.writeHead(404).end('{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}');
      } else if (url.pathname.includes('/manifests/')) {
        response.setHeader('content-type', 'application/vnd.oci.image.manifest.v1+json');
        response.end(source.manifestBody);
      } else {
        response.end(source.blobs.get(url.pathname.slice(url.pathname.lastIndexOf('/') + 1)));
      }
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const { port } = server.address() as AddressInfo;
      const mirrors = new Map([['example.org', `http://127.0.0.1:${port}/proxy`]]);
      const images = createImageService({ store, nodeImageDirectory: join(directory, 'node'), mirrors });
      const pulled = await images.pull('example.org/app:1', { credentials: [] });
      expect(pulled.tags).toEqual(['example.org/app:1']);
      expect(seen[0]).toBe('- /proxy/v2/app/manifests/1');
      expect(seen[2]).toBe('Bearer t:repository:app:pull /proxy/v2/app/manifests/1');
      await expect(images.pull('example.org/app:missing', { credentials: [] })).rejects.toMatchObject({
        code: 'NOT_FOUND',
        message: expect.stringContaining('manifest unknown'),
      });
    } finally {
      server.close();
    }
  });

  it('says which registry could not be reached', async () => {
    const distribution = createDistribution({ mirrors: new Map(), credentials: [] });
    await expect(distribution.manifest(parseReference('127.0.0.1:1/app'))).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringContaining('http://127.0.0.1:1'),
    });
  });
});

describe('kanoe.local/node', () => {
  it('is made from the running Node.js, once', async () => {
    const images = createImageService({
      store,
      nodeImageDirectory: join(directory, 'node'),
      mirrors: new Map(),
    });
    const first = await images.resolve('kanoe.local/node');
    expect(first?.config.cmd).toEqual(['node']);
    expect((await lstat(join(first?.layers[0] ?? '', 'usr/local/bin/node'))).size).toBeGreaterThan(1 << 20);
    expect(await images.resolve(`kanoe.local/node:${process.versions.node.split('.')[0]}`)).toEqual(first);
    expect(await images.resolve('kanoe.local/node:1')).toBeUndefined();
  });
});
