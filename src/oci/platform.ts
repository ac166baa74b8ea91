import { OciError } from './oci-error.ts';
import type { Descriptor, Index } from './manifest.ts';

/** Operating system and processor in OCI's words: `linux`, `amd64`. */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
}

/** The manifest of an index for one platform. Throws `WRONG_PLATFORM` with what the index has. */
export function selectManifest(index: Index, platform: Platform, name: string): Descriptor {
  const images = index.manifests.filter((entry) => entry.platform?.os !== 'unknown');
  const match = images.find(
    ({ platform: own }) => own?.os === platform.os && own.architecture === platform.architecture,
  );
  const unlabelled = images.length === 1 && images[0]?.platform === undefined ? images[0] : undefined;
  const chosen = match ?? unlabelled;
  if (!chosen) {
    const has = images.map((entry) =>
      entry.platform ? `${entry.platform.os}/${entry.platform.architecture}` : 'unlabelled',
    );
    throw new OciError(
      'WRONG_PLATFORM',
      `no match for platform in manifest: image ${name} is made for ${has.join(', ') || 'nothing'}, not for ${platform.os}/${platform.architecture}`,
    );
  }
  return chosen;
}
