/** What a node needs of the image store; `cluster/` injects an implementation. */
export interface ImageService {
  /** The image that a reference names locally, without asking any registry. */
  resolve(reference: string): Promise<Image | undefined>;
  /** Pulls and unpacks; concurrent pulls of one reference share the work. Throws `ImageError`. */
  pull(
    reference: string,
    options: { readonly credentials: readonly RegistryCredentials[]; readonly signal?: AbortSignal },
  ): Promise<Image>;
  /** By image id. */
  get(imageId: string): Promise<Image | undefined>;
  list(): Promise<readonly Image[]>;
  /** Removes an image that no container uses. */
  remove(imageId: string): Promise<void>;
}

export interface RegistryCredentials {
  /** Host (and port) as in the reference. */
  readonly registry: string;
  readonly username: string;
  readonly password: string;
}

/** An image whose layers are unpacked on this machine. */
export interface Image {
  /** Digest of its configuration, `sha256:…`. */
  readonly id: string;
  /** `docker.io/library/busybox:1.36` … */
  readonly tags: readonly string[];
  /** `docker.io/library/busybox@sha256:…`. */
  readonly digests: readonly string[];
  readonly sizeBytes: number;
  /** Unpacked layer directories, lowest first; what an upper layer removes has been taken out of those below. */
  readonly layers: readonly string[];
  readonly os: string;
  readonly architecture: string;
  readonly config: ImageConfig;
}

/** The part of the OCI image configuration that running needs. */
export interface ImageConfig {
  readonly user: string;
  readonly env: readonly string[];
  readonly entrypoint: readonly string[];
  readonly cmd: readonly string[];
  readonly workingDir: string;
  readonly stopSignal?: string;
  readonly volumes: readonly string[];
  readonly exposedPorts: readonly string[];
}

export type ImageErrorCode =
  | 'NOT_FOUND'
  | 'UNAUTHORIZED'
  | 'UNAVAILABLE'
  | 'WRONG_PLATFORM'
  | 'CORRUPT'
  | 'INVALID_REFERENCE'
  | 'NO_SPACE';

/** What an image service throws; the message goes into `ErrImagePull` events as it is. */
export class ImageError extends Error {
  override readonly name = 'ImageError';
  readonly code: ImageErrorCode;

  constructor(code: ImageErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
