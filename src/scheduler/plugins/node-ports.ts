import type { FilterPlugin } from '../framework.ts';
import type { HostPort } from '../pod-info.ts';

/** Keeps pods apart that ask for the same port of the node. */
export const nodePorts: FilterPlugin = {
  name: 'NodePorts',
  wokenBy: ['node', 'pod-gone'],
  prepare({ hostPorts }) {
    if (hostPorts.length === 0) return undefined;
    return ({ info }) => {
      for (const other of info.pods.values()) {
        if (other.hostPorts.some((taken) => hostPorts.some((wanted) => collide(taken, wanted)))) {
          return { reasons: ["node(s) didn't have free ports for the requested pod ports"], final: false };
        }
      }
      return undefined;
    };
  },
};

function collide(a: HostPort, b: HostPort): boolean {
  if (a.port !== b.port || a.protocol !== b.protocol) return false;
  return a.ip === b.ip || a.ip === '0.0.0.0' || b.ip === '0.0.0.0';
}
