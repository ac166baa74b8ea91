import { readFileSync, readdirSync } from 'node:fs';

/** Every process of the machine whose control groups hold a text: a cluster's or a container's identifier. */
export function processesIn(group: string): readonly number[] {
  return readdirSync('/proc').flatMap((name) =>
    /^\d+$/.test(name) && readText(`/proc/${name}/cgroup`).includes(group) ? [Number(name)] : [],
  );
}

/** The process that is number 1 inside a container, seen from outside; `containerID` is that of the pod's status. */
export function mainProcess(containerID: string): number {
  const id = containerID.replace(/^[^:]*:\/\//, '');
  if (!/^[0-9a-f]{12,}$/.test(id)) throw new Error(`${containerID} is no identifier of a container`);
  for (const pid of processesIn(id)) {
    if (/^NSpid:\s.*\s1$/m.test(readText(`/proc/${pid}/status`))) return pid;
  }
  throw new Error(`no process is in container ${id}`);
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
