import type { FilterPlugin } from '../framework.ts';

/** Honours `spec.nodeName` of pods that come with one. */
export const nodeName: FilterPlugin = {
  name: 'NodeName',
  wokenBy: ['node'],
  prepare({ pod }) {
    const wanted = pod.spec.nodeName;
    if (!wanted) return undefined;
    return ({ node }) =>
      node.metadata.name === wanted
        ? undefined
        : { reasons: ["node(s) didn't match the requested node name"], final: true };
  },
};
