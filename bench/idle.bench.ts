import { readFile, readdir } from 'node:fs/promises';
import { spawn } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { startBenchCluster } from './bench-cluster.ts';
import type { Report } from './bench-row.ts';

export const name = 'idle: one node, no pods';

const settleMs = 15_000;
const windowMs = 20_000;

/** Memory and processor time of Kanoe's own processes, beside a bare `node:http` server's memory. */
export async function run(report: Report): Promise<void> {
  const bare = spawn(process.execPath, ['-e', "require('node:http').createServer().listen(0)"], {
    stdio: 'ignore',
  });
  const cluster = await startBenchCluster();
  const pid = cluster.record.process?.pid ?? 0;
  try {
    await delay(settleMs);
    const before = await cpuMs(pid);
    await delay(windowMs);
    const used = (await cpuMs(pid)) - before;
    const memory = await Promise.all((await family(pid)).map(pssKb));
    report({
      what: 'memory (PSS of all own processes)',
      value: memory.reduce((sum, kb) => sum + kb, 0) / 1024,
      unit: 'MB',
      limit: (await pssKb(bare.pid ?? 0)) / 1024,
    });
    report({ what: 'CPU', value: (used / windowMs) * 100, unit: '% of a core' });
  } finally {
    bare.kill();
    await cluster.stop();
  }
}

async function family(root: number): Promise<number[]> {
  const parents = new Map<number, number>();
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const stat = await readFile(`/proc/${entry}/stat`, 'utf8').catch(() => '');
    parents.set(Number(entry), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]));
  }
  const members = [root];
  for (let at = 0; at < members.length; at += 1) {
    for (const [pid, parent] of parents) if (parent === members[at]) members.push(pid);
  }
  return members;
}

async function pssKb(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(() => '');
  return Number(/^Pss:\s+(\d+)/m.exec(text)?.[1] ?? 0);
}

/** User and system time in milliseconds; the kernel counts in hundredths of a second. */
async function cpuMs(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}
