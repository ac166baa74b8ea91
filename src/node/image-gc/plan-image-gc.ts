/** An image on the node that nothing uses. */
export interface UnusedImage {
  readonly id: string;
  readonly sizeBytes: number;
  /** Milliseconds since the epoch. */
  readonly lastUsedAt: number;
  /** When the node first saw it. */
  readonly firstSeenAt: number;
}

/** Which of the images go so that `bytes` are freed: those longest unused first, none younger than `minimumAgeMs`. */
export function planImageGc(
  images: readonly UnusedImage[],
  wanted: { readonly bytes: number; readonly now: number; readonly minimumAgeMs: number },
): readonly UnusedImage[] {
  const chosen: UnusedImage[] = [];
  let left = wanted.bytes;
  const order = images.toSorted((a, b) => a.lastUsedAt - b.lastUsedAt || a.firstSeenAt - b.firstSeenAt);
  for (const image of order) {
    if (left <= 0) break;
    if (wanted.now - image.firstSeenAt < wanted.minimumAgeMs) continue;
    chosen.push(image);
    left -= image.sizeBytes;
  }
  return chosen;
}
