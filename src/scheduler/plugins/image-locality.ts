import type { PluginFactory } from '../framework.ts';

const megabyte = 1024 * 1024;
const least = 23 * megabyte;
const mostPerContainer = 1000 * megabyte;
const name = 'ImageLocality';

/** Prefers nodes that hold the pod's images already, weighted by size and by how widespread they are. */
export const imageLocality: PluginFactory = {
  name,
  create: ({ snapshot }) => ({
    name,
    score(_state, { pod }, { images }) {
      const containers = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])];
      const most = mostPerContainer * containers.length;
      let bytes = 0;
      for (const { image = '' } of containers) {
        const wanted = normalizedName(image);
        const size = images.get(wanted);
        if (size === undefined) continue;
        bytes += Math.floor((size * snapshot.nodesWithImage(wanted)) / snapshot.nodes.length);
      }
      return Math.floor((100 * (Math.min(Math.max(bytes, least), most) - least)) / (most - least));
    },
  }),
};

/** The name with a tag: `:latest` when it has none. */
function normalizedName(image: string): string {
  return image.lastIndexOf(':') <= image.lastIndexOf('/') ? `${image}:latest` : image;
}
