import { readFile } from 'node:fs/promises';
import { capabilitiesOfMask } from './capabilities.ts';

/** What the agent's own process is allowed, which bounds what a container can get. */
export interface Privileges {
  /** Those of the capabilities that can be given. */
  limit(capabilities: readonly string[]): readonly string[];
  /** A lower OOM score adjustment than this would be refused. */
  readonly lowestOomScoreAdj: number;
}

export async function readPrivileges(): Promise<Privileges> {
  const [status, oomScoreAdj] = await Promise.all([
    readFile('/proc/self/status', 'utf8'),
    readFile('/proc/self/oom_score_adj', 'utf8'),
  ]);
  const own = new Set(capabilitiesOfMask(/^CapEff:\s*(\w+)/m.exec(status)?.[1] ?? ''));
  return {
    limit: (capabilities) => capabilities.filter((capability) => own.has(capability)),
    lowestOomScoreAdj: own.has('CAP_SYS_RESOURCE') ? -1000 : Number(oomScoreAdj),
  };
}
