import type { Clock } from '../../base/clock.ts';
import type { Container, Pod } from '../../api/core/v1.gen.ts';
import type { EventRecorder } from '../../reconcile/event-recorder.ts';
import { goDuration } from '../go-duration.ts';
import { ImageError, type Image, type ImageService, type RegistryCredentials } from '../image-service.ts';
import { KeyedBackoff } from '../keyed-backoff.ts';
import { WaitingError } from '../waiting-error.ts';

export interface ImagePullerOptions {
  readonly images: ImageService;
  readonly events: EventRecorder;
  readonly clock: Clock;
}

export interface ImagePuller {
  /**
   * The image of a container, pulled when its policy asks for it; records the kubelet's events. Throws `WaitingError`
   * `ErrImagePull`, `ImagePullBackOff`, `ErrImageNeverPull` or `InvalidImageName`.
   */
  ensure(request: {
    readonly pod: Pod;
    readonly container: Container;
    /** Asked for only when a pull is due. */
    credentials(): Promise<readonly RegistryCredentials[]>;
    readonly signal: AbortSignal;
  }): Promise<Image>;
  /** Drops back-offs that no longer matter. */
  sweep(): void;
}

type Ensure = Parameters<ImagePuller['ensure']>[0];

/** Pulls images by policy, with one back-off per pod and image. */
export function createImagePuller(options: ImagePullerOptions): ImagePuller {
  const { images, events, clock } = options;
  const backoff = new KeyedBackoff(clock);
  const lastErrors = new Map<string, string>();

  async function ensure(request: Ensure): Promise<Image> {
    const { pod, container } = request;
    const reference = container.image ?? '';
    const policy = container.imagePullPolicy ?? defaultPolicy(reference);
    const key = `${pod.metadata.uid}/${reference}`;
    const present = policy === 'Always' ? undefined : await resolve(request, reference);
    if (present) {
      const message = `Container image "${reference}" already present on machine and can be accessed by the pod`;
      events.record(pod, 'Normal', 'Pulled', message);
      return present;
    }
    if (policy === 'Never') {
      const message = `Container image "${reference}" is not present with pull policy of Never`;
      events.record(pod, 'Warning', 'ErrImageNeverPull', message);
      throw new WaitingError('ErrImageNeverPull', message);
    }
    const wait = backoff.waitingSinceFailure(key);
    if (wait) {
      const cause = lastErrors.get(key);
      const message = `Back-off pulling image "${reference}"${cause === undefined ? '' : `: ErrImagePull: ${cause}`}`;
      events.record(pod, 'Normal', 'BackOff', message);
      throw new WaitingError('ImagePullBackOff', message, { retryMs: wait.remainingMs });
    }
    return pull(request, reference, key);
  }

  async function resolve(request: Ensure, reference: string): Promise<Image | undefined> {
    try {
      return await images.resolve(reference);
    } catch (error) {
      if (error instanceof ImageError && error.code === 'INVALID_REFERENCE')
        throw invalidName(request, reference);
      throw error;
    }
  }

  function invalidName(request: Ensure, reference: string): WaitingError {
    const message = `Failed to apply default image tag "${reference}": couldn't parse image name "${reference}": invalid reference format`;
    events.record(request.pod, 'Warning', 'InspectFailed', message);
    return new WaitingError('InvalidImageName', message);
  }

  async function pull(request: Ensure, reference: string, key: string): Promise<Image> {
    const { pod, signal } = request;
    events.record(pod, 'Normal', 'Pulling', `Pulling image "${reference}"`);
    const started = clock.monotonic();
    try {
      const image = await images.pull(reference, { credentials: await request.credentials(), signal });
      const took = goDuration(Math.round(clock.monotonic() - started));
      const size = `Image size: ${image.sizeBytes} bytes.`;
      const message = `Successfully pulled image "${reference}" in ${took} (${took} including waiting). ${size}`;
      events.record(pod, 'Normal', 'Pulled', message);
      backoff.forget(key);
      lastErrors.delete(key);
      return image;
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof ImageError)) throw error;
      if (error.code === 'INVALID_REFERENCE') throw invalidName(request, reference);
      events.record(pod, 'Warning', 'Failed', `Failed to pull image "${reference}": ${error.message}`);
      backoff.fail(key);
      lastErrors.set(key, error.message);
      throw new WaitingError('ErrImagePull', error.message, { cause: error, retryMs: PULL_RETRY_MS });
    }
  }

  return {
    ensure,
    sweep: () => {
      backoff.sweep();
      for (const key of lastErrors.keys()) if (!backoff.waitingSinceFailure(key)) lastErrors.delete(key);
    },
  };
}

/** Soon enough for people to see `ImagePullBackOff`, late enough for `ErrImagePull` to be seen. */
const PULL_RETRY_MS = 2000;

function defaultPolicy(reference: string): 'Always' | 'IfNotPresent' {
  const name = reference.slice(reference.lastIndexOf('/') + 1);
  if (name.includes('@')) return 'IfNotPresent';
  const tag = name.includes(':') ? name.slice(name.indexOf(':') + 1) : 'latest';
  return tag === 'latest' ? 'Always' : 'IfNotPresent';
}
