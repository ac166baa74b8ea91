import { readFile } from 'node:fs/promises';
import { capabilitiesOfMask } from './capabilities.ts';

/** What the agent's own process is allowed, which bounds what a container can get. */
export interface Privileges {
  /** Those of the capabilities that can be given. */
  limit(capabilities: readonly string[]): readonly string[];
  /** A lower OOM score adjustment than this would be refused. */
  readonly lowestOomScoreAdj: number;
  /** Whether a group of this number exists here: in a user namespace, few do. */
  hasGroup(gid: number): boolean;
}

export async function readPrivileges(): Promise<Privileges> {
  const [status, oomScoreAdj, gidMap] = await Promise.all([
    readFile('/proc/self/status', 'utf8'),
    readFile('/proc/self/oom_score_adj', 'utf8'),
    readFile('/proc/self/gid_map', 'utf8'),
  ]);
  const own = new Set(capabilitiesOfMask(/^CapEff:\s*(\w+)/m.exec(status)?.[1] ?? ''));
  const ranges = gidMap
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number));
  const everyone = ranges.some(([first, , count]) => first === 0 && count === 4_294_967_295);
  return {
    hasGroup: (gid) => ranges.some(([first = 0, , count = 0]) => gid >= first && gid < first + count),
    limit: (capabilities) => capabilities.filter((capability) => own.has(capability)),
    lowestOomScoreAdj: own.has('CAP_SYS_RESOURCE') && everyone ? -1000 : Number(oomScoreAdj),
  };
}
