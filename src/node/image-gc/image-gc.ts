import { statfs } from 'node:fs/promises';
import type { Clock } from '../../base/clock.ts';
import type { Image, ImageService } from '../image-service.ts';
import type { ImageGcSettings } from '../settings/node-settings.ts';
import { planImageGc, type UnusedImage } from './plan-image-gc.ts';

export interface ImageGcOptions {
  readonly clock: Clock;
  readonly images: Pick<ImageService, 'list' | 'remove'>;
  /** Ids of the images that containers were made from. */
  inUse(): Promise<ReadonlySet<string>>;
  readonly settings: ImageGcSettings;
  /** Where images are. */
  readonly directory: string;
  /** Tells people about something that went wrong: a reason and words. */
  onTrouble(reason: string, message: string): void;
}

/** Removes images that no container of this machine uses (the kubelet's image manager). */
export class ImageGc {
  readonly #options: ImageGcOptions;
  readonly #seen = new Map<string, { readonly firstSeenAt: number; lastUsedAt: number }>();

  constructor(options: ImageGcOptions) {
    this.#options = options;
  }

  /** Takes note of what is there and used; removes what is older than it may get, and more when the disk is full. */
  async look(): Promise<void> {
    const { settings, clock, directory } = this.#options;
    const unused = await this.#unused();
    const now = clock.now();
    const { maximumAgeMs } = settings;
    const old = maximumAgeMs === 0 ? [] : unused.filter(({ lastUsedAt }) => now - lastUsedAt > maximumAgeMs);
    await this.#remove(old);
    const { blocks, bavail, bsize } = await statfs(directory);
    const usedPercent = 100 - Math.floor((bavail * 100) / Math.max(1, blocks));
    if (settings.highPercent >= 100 || usedPercent < settings.highPercent) return;
    const bytes = Math.ceil((blocks * bsize * (100 - settings.lowPercent)) / 100 - bavail * bsize);
    const freed = await this.#free(bytes, settings.minimumAgeMs);
    if (freed >= bytes) return;
    this.#options.onTrouble(
      'FreeDiskSpaceFailed',
      `Failed to garbage collect required amount of images. Attempted to free ${bytes} bytes, but only found ${freed} bytes eligible to free.`,
    );
  }

  /** Removes every image that nothing uses. */
  async removeUnused(): Promise<void> {
    await this.#remove(await this.#unused());
  }

  async #free(bytes: number, minimumAgeMs: number): Promise<number> {
    const chosen = planImageGc(await this.#unused(), { bytes, now: this.#options.clock.now(), minimumAgeMs });
    await this.#remove(chosen);
    return chosen.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  }

  async #remove(unused: readonly UnusedImage[]): Promise<void> {
    for (const { id } of unused) {
      await this.#options.images.remove(id);
      this.#seen.delete(id);
    }
  }

  async #unused(): Promise<readonly UnusedImage[]> {
    const { images, clock } = this.#options;
    const [all, used] = await Promise.all([images.list(), this.#options.inUse()]);
    const now = clock.now();
    const known = new Set(all.map(({ id }) => id));
    for (const id of this.#seen.keys()) if (!known.has(id)) this.#seen.delete(id);
    return all.flatMap((image) => {
      const seen = this.#note(image, now);
      if (used.has(image.id)) {
        seen.lastUsedAt = now;
        return [];
      }
      return [{ id: image.id, sizeBytes: image.sizeBytes, ...seen }];
    });
  }

  #note({ id }: Image, now: number): { readonly firstSeenAt: number; lastUsedAt: number } {
    const seen = this.#seen.get(id) ?? { firstSeenAt: now, lastUsedAt: 0 };
    this.#seen.set(id, seen);
    return seen;
  }
}
