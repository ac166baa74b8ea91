import type { ScorePlugin } from '../framework.ts';

const megabyte = 1024 * 1024;
const least = 23 * megabyte;
const mostPerContainer = 1000 * megabyte;

/** Prefers nodes that hold the pod's images already, weighted by size and by how widespread they are. */
export const imageLocality: ScorePlugin = {
  name: 'ImageLocality',
  weight: 1,
  prepare({ pod }, { nodes }) {
    if (nodes.length < 2) return undefined;
    const containers = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])];
    const wanted = new Set(containers.map(({ image = '' }) => normalizedName(image)));
    return (candidates) => {
      const held = candidates.map(({ node }) =>
        (node.status?.images ?? []).filter(({ names }) =>
          names.some((name) => wanted.has(normalizedName(name))),
        ),
      );
      const spread = held.filter((images) => images.length > 0).length / candidates.length;
      const most = mostPerContainer * containers.length;
      return held.map((images) => {
        const bytes = images.reduce((sum, image) => sum + (image.sizeBytes ?? 0), 0) * spread;
        return Math.floor((100 * (Math.min(Math.max(bytes, least), most) - least)) / (most - least));
      });
    };
  },
};

/** The name with a tag: `:latest` when it has none. */
function normalizedName(name: string): string {
  return name.lastIndexOf(':') <= name.lastIndexOf('/') ? `${name}:latest` : name;
}
