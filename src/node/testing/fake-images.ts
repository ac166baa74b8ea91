import { ImageError, type Image, type ImageService } from '../image-service.ts';

/** An image service that has, or can pull, exactly the references given. */
export function fakeImages(options: {
  readonly present?: readonly string[];
  readonly pullable?: readonly string[];
  readonly user?: string;
}): ImageService {
  const present = new Set(options.present);
  const pullable = new Set(options.pullable);
  const imageOf = (reference: string): Image => ({
    id: `sha256:${reference}`,
    tags: [reference],
    digests: [`${reference.split(':')[0]}@sha256:abc`],
    sizeBytes: 1234,
    layers: [],
    os: 'linux',
    architecture: 'amd64',
    config: {
      user: options.user ?? '',
      env: [],
      entrypoint: [],
      cmd: [],
      workingDir: '/',
      volumes: [],
      exposedPorts: [],
    },
  });
  return {
    resolve: (reference) => Promise.resolve(present.has(reference) ? imageOf(reference) : undefined),
    pull: (reference) => {
      if (!pullable.has(reference))
        return Promise.reject(new ImageError('NOT_FOUND', `${reference}: not found`));
      present.add(reference);
      return Promise.resolve(imageOf(reference));
    },
    get: (id) => Promise.resolve(imageOf(id.replace('sha256:', ''))),
    list: () => Promise.resolve([...present].map(imageOf)),
    remove: () => Promise.resolve(),
  };
}
