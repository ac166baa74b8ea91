import {
  ImageError,
  type Image,
  type ImageErrorCode,
  type ImageService,
  type RegistryCredentials,
} from '../../image-service.ts';
import { CriError, criStatus, type CallOptions, type CriConnection } from './connect-cri.ts';
import type { CriImage } from './messages.ts';

export interface CriImagesOptions {
  readonly connection: CriConnection;
  /** The registry's host in a reference (`docker.io` when it names none). Throws `ImageError` when it is not a reference. */
  registryOf(reference: string): string;
  /** The image of sandboxes, which belongs to no pod. */
  readonly sandboxImage?: string | undefined;
}

/** A pull may take its time. */
const pullTimeoutMs = 30 * 60_000;

/** The images of a CRI runtime. How it reaches registries (mirrors, plain HTTP, certificates) is its own configuration. */
export function criImages({ connection, registryOf, sandboxImage }: CriImagesOptions): ImageService {
  async function statusOf(name: string): Promise<Image | undefined> {
    const { image, info } = await connection.call('ImageStatus', { image: { image: name }, verbose: true });
    return image ? imageOf(image, info) : undefined;
  }

  async function pullWith(
    reference: string,
    login: RegistryCredentials | undefined,
    options: CallOptions,
  ): Promise<Image> {
    const auth = login && {
      username: login.username,
      password: login.password,
      server_address: login.registry,
    };
    const { image_ref } = await connection.call(
      'PullImage',
      { image: { image: reference }, ...(auth && { auth }) },
      options,
    );
    const pulled = (await statusOf(image_ref)) ?? (await statusOf(reference));
    if (!pulled)
      throw new ImageError('CORRUPT', `image ${reference} was pulled, but the runtime does not have it`);
    return pulled;
  }

  return {
    resolve: async (reference) => {
      registryOf(reference);
      return await statusOf(reference);
    },
    async pull(reference, { credentials, signal }) {
      const registry = registryOf(reference);
      const logins = credentials.filter((one) => serves(one.registry, registry));
      const options = { timeoutMs: pullTimeoutMs, ...(signal && { signal }) };
      let failure: unknown;
      for (const login of logins.length > 0 ? logins : [undefined]) {
        try {
          return await pullWith(reference, login, options);
        } catch (error) {
          failure = error;
        }
      }
      throw failure instanceof CriError ? imageError(failure) : failure;
    },
    get: statusOf,
    /** What pods use or used: images that the runtime itself needs are not for anybody to remove. */
    async list() {
      const { images } = await connection.call('ListImages', {});
      return images
        .filter(({ pinned, repo_tags }) => !pinned && !repo_tags.includes(sandboxImage ?? ''))
        .map((image) => imageOf(image, {}));
    },
    async remove(imageId) {
      await connection.call('RemoveImage', { image: { image: imageId } });
    },
  };
}

function serves(given: string, registry: string): boolean {
  const hub = ['docker.io', 'index.docker.io', 'registry-1.docker.io'];
  return given === registry || (hub.includes(given) && hub.includes(registry));
}

function imageOf(image: CriImage, info: Readonly<Record<string, string>>): Image {
  const user = image.uid === null || image.username !== '' ? image.username : String(image.uid.value);
  const config = configOf(info);
  return {
    id: image.id,
    tags: image.repo_tags,
    digests: image.repo_digests,
    sizeBytes: image.size,
    layers: [],
    os: 'linux',
    architecture: '',
    config: {
      user,
      env: config.Env ?? [],
      entrypoint: config.Entrypoint ?? [],
      cmd: config.Cmd ?? [],
      workingDir: config.WorkingDir ?? '',
      ...(config.StopSignal !== undefined && { stopSignal: config.StopSignal }),
      volumes: Object.keys(config.Volumes ?? {}),
      exposedPorts: Object.keys(config.ExposedPorts ?? {}),
    },
  };
}

interface OciConfig {
  readonly Env?: readonly string[];
  readonly Entrypoint?: readonly string[];
  readonly Cmd?: readonly string[];
  readonly WorkingDir?: string;
  readonly StopSignal?: string;
  readonly Volumes?: Readonly<Record<string, object>>;
  readonly ExposedPorts?: Readonly<Record<string, object>>;
}

/** containerd and CRI-O tell the image's configuration in what they call verbose. */
function configOf(info: Readonly<Record<string, string>>): OciConfig {
  const text = info['info'];
  if (text === undefined) return {};
  const parsed = JSON.parse(text) as { readonly imageSpec?: { readonly config?: OciConfig } };
  return parsed.imageSpec?.config ?? {};
}

/** What registries said is only in the words of the runtime. */
function imageError(error: CriError): ImageError {
  const { message } = error;
  return new ImageError(codeOf(error), message, { cause: error });
}

function codeOf({ status, message }: CriError): ImageErrorCode {
  if (status === criStatus.notFound) return 'NOT_FOUND';
  if (status === criStatus.unauthenticated || /40[13] |authorization failed|unauthorized/i.test(message))
    return 'UNAUTHORIZED';
  if (/no match for platform/.test(message)) return 'WRONG_PLATFORM';
  if (/no space left/.test(message)) return 'NO_SPACE';
  return 'UNAVAILABLE';
}

/** Where the runtime's images are on this machine; undefined when it does not tell. */
export async function criImagesDirectory(connection: CriConnection): Promise<string | undefined> {
  const { image_filesystems } = await connection.call('ImageFsInfo', {});
  const path = image_filesystems[0]?.fs_id?.mountpoint;
  return path === '' ? undefined : path;
}
