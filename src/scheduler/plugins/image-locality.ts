import type { Pod } from '../../api/core/v1.gen.ts';
import type { PluginFactory } from '../framework.ts';

const megabyte = 1024 * 1024;
const least = 23 * megabyte;
const mostPerImage = 1000 * megabyte;
const name = 'ImageLocality';

/** Prefers nodes that hold the pod's images already, weighted by size and by how widespread they are. */
export const imageLocality: PluginFactory = {
  name,
  create: ({ snapshot }) => ({
    name,
    scoreAll(_state, { pod }, nodes) {
      const wanted = imagesOf(pod);
      const most = mostPerImage * wanted.length;
      const { length } = snapshot.nodes;
      if (!wanted.some((image) => snapshot.nodesWithImage(image) > 0)) return nodes.map(() => 0);
      return nodes.map(({ images }) => {
        if (images.size === 0) return 0;
        let bytes = 0;
        for (const image of wanted) {
          const size = images.get(image);
          if (size === undefined) continue;
          bytes += Math.floor((size * snapshot.nodesWithImage(image)) / length);
        }
        return Math.floor((100 * (Math.min(Math.max(bytes, least), most) - least)) / (most - least));
      });
    },
  }),
};

function imagesOf({ spec }: Pod): string[] {
  const containers = [...(spec.initContainers ?? []), ...spec.containers].map(({ image = '' }) => image);
  const mounted = (spec.volumes ?? []).flatMap(({ image }) => (image ? [image.reference ?? ''] : []));
  return [...containers, ...mounted].map(withTag);
}

/** The name with a tag: `:latest` when it has none. */
function withTag(image: string): string {
  return image.lastIndexOf(':') <= image.lastIndexOf('/') ? `${image}:latest` : image;
}
