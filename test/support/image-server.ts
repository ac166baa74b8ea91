import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { digestOf } from './image-archive.ts';
import type { ImageParts } from './image-archive.ts';

/** Serves one image under every name and tag, as an OCI registry that can only be read. */
export async function serveImage({ layer, config }: ImageParts, port: number): Promise<Server> {
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config: {
        mediaType: 'application/vnd.oci.image.config.v1+json',
        digest: digestOf(config),
        size: config.length,
      },
      layers: [
        {
          mediaType: 'application/vnd.oci.image.layer.v1.tar',
          digest: digestOf(layer),
          size: layer.length,
        },
      ],
    }),
  );
  const blobs = new Map([layer, config].map((blob) => [digestOf(blob), blob]));
  const server = createServer((request, response) => {
    const [, kind, reference = ''] = /\/(manifests|blobs)\/([^/]+)$/.exec(request.url ?? '') ?? [];
    const body = kind === 'blobs' ? blobs.get(reference) : manifest;
    if (!body) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, {
      'content-type':
        kind === 'manifests' ? 'application/vnd.oci.image.manifest.v1+json' : 'application/octet-stream',
      'content-length': body.length,
      'docker-content-digest': digestOf(body),
    });
    response.end(request.method === 'HEAD' ? undefined : body);
  });
  await new Promise<void>((done, failed) => {
    server.once('error', failed);
    server.listen({ host: '127.0.0.1', port }, done);
  });
  return server;
}
