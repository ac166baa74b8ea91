import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Agent } from 'node:https';
import { writeFile } from 'node:fs/promises';
import { constants, setPriority } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { systemClock } from '../src/base/clock.ts';
import { connectionOf, readKubeconfigs } from '../src/client/kubeconfig-file.ts';
import { startBenchCluster } from './bench-cluster.ts';
import { quantile, type BenchRow } from './bench-row.ts';
import { ask, attacks, type Target } from './hostile-attacks.ts';

export { attacks } from './hostile-attacks.ts';

export const name = "hostile: a client's GETs, p99, while another one is hostile, beside the quiet time";

/** A quiet and a hostile time. */
interface Round {
  readonly quiet: readonly number[];
  readonly hostile: readonly number[];
}

const ROUNDS = 5;
const ROUND_MS = 3_000;
/** Each of four connections asks this often; a GET counts from when it was due. */
const EVERY_MS = 10;
const CONNECTIONS = 4;
const path = '/api/v1/namespaces/default';

/**
 * The p99 of four clients' GETs at a steady rate. Quiet and hostile times alternate; the figure is the median of the rounds,
 * beside it the worst; the limit is the median of the quiet times. An attacker's own work would be another machine's: it has
 * a process of the lowest priority.
 */
export async function run(report: (row: BenchRow) => void): Promise<void> {
  const cluster = await startBenchCluster(['--nodes', '0']);
  const { server, ca, cert, key } = await connectionOf(await readKubeconfigs([cluster.kubeconfig]));
  const { hostname: host, port } = new URL(server);
  const target = { host, port: Number(port), ca, cert, key };
  try {
    for (const what of Object.keys(attacks)) {
      const rounds = await measure(what, target);
      const p99s = (times: 'quiet' | 'hostile'): readonly number[] =>
        rounds.map((round) => quantile(round[times], 0.99));
      const limit = quantile(p99s('quiet'), 0.5);
      report({ what, value: quantile(p99s('hostile'), 0.5), unit: 'ms', limit });
      report({ what: `${what}, worst round`, value: Math.max(...p99s('hostile')), unit: 'ms', limit });
    }
  } finally {
    await cluster.stop();
  }
}

/** How long GETs took in each round, in milliseconds, while nobody and while this attacker was at work. */
export async function measure(what: string, target: Target): Promise<readonly Round[]> {
  const agent = new Agent({ ...target, keepAlive: true, maxSockets: CONNECTIONS });
  await times(target, agent);
  const rounds: Round[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const quiet = await times(target, agent);
    const attacker = await startAttacker(what, target);
    rounds.push({ quiet, hostile: await times(target, agent) });
    await attacker.stop();
  }
  agent.destroy();
  return rounds;
}

async function times(target: Target, agent: Agent): Promise<number[]> {
  const all: number[] = [];
  const start = systemClock.monotonic();
  const client = async (offset: number): Promise<void> => {
    for (let due = offset; due < ROUND_MS; due += EVERY_MS) {
      const early = start + due - systemClock.monotonic();
      if (early > 0) await delay(early);
      const from = Math.min(systemClock.monotonic(), start + due);
      await ask({ ...target, agent, path });
      all.push(systemClock.monotonic() - from);
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, (_, at) => client((at * EVERY_MS) / CONNECTIONS)));
  return all;
}

async function startAttacker(what: string, target: Target): Promise<{ stop(): Promise<void> }> {
  const code = `
    const { attacks } = await import(${JSON.stringify(import.meta.url)});
    setInterval(() => {}, 60_000);
    await attacks[process.env.ATTACK](JSON.parse(process.env.TARGET));
    console.log('begun');`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
    env: { ...process.env, ATTACK: what, TARGET: JSON.stringify(target) },
  });
  await lowestPriority(child.pid ?? 0);
  await once(child.stdout, 'data');
  return {
    async stop() {
      const exit = once(child, 'exit');
      child.kill('SIGKILL');
      await exit;
      await delay(2_000);
    },
  };
}

/** Of a process that leads a session. Linux may weigh whole sessions against each other before it looks at their processes. */
async function lowestPriority(pid: number): Promise<void> {
  setPriority(pid, constants.priority.PRIORITY_LOW);
  await writeFile(`/proc/${pid}/autogroup`, String(constants.priority.PRIORITY_LOW)).catch(() => undefined);
}
