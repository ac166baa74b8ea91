import { execFile, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import type { Client } from '../src/client/client.ts';
import { createClient } from '../src/client/create-client.ts';
import { adminTransport } from '../src/cluster/admin-transport.ts';
import type { ClusterRecord } from '../src/cluster/cluster-record.ts';

/** A cluster of its own for one benchmark, started as a person would. */
export interface BenchCluster {
  readonly client: Client;
  readonly record: ClusterRecord;
  readonly kubeconfig: string;
  /** Wall-clock milliseconds of the whole `kanoe up --detach`. */
  readonly upMs: number;
  stop(): Promise<void>;
}

const program = resolve('dist/bin/kanoe.js');

/** Starts a cluster; `enter` begins the command line, to start it in a reduced view of the machine. */
export async function startBenchCluster(
  args: readonly string[] = [],
  enter: readonly string[] = [],
): Promise<BenchCluster> {
  const [file, ...before] = [...enter, process.execPath, program] as const;
  const home = await mkdtemp(join(tmpdir(), 'kanoe-bench-'));
  const kubeconfig = join(home, 'kubeconfig');
  const env = { ...process.env, KANOE_HOME: home };
  const started = performance.now();
  await promisify(execFile)(
    file,
    [...before, 'up', '--detach', '--name', 'bench', '--port', '0', '--kubeconfig', kubeconfig, ...args],
    { env },
  );
  const upMs = performance.now() - started;
  const client = createClient(await adminTransport(kubeconfig));
  const record = JSON.parse(await readFile(join(home, 'clusters/bench.json'), 'utf8')) as ClusterRecord;
  return {
    client,
    record,
    kubeconfig,
    upMs,
    async stop() {
      await client.transport.close();
      await promisify(execFile)(file, [...before, 'down', '--name', 'bench', '--purge'], { env });
      await rm(home, { recursive: true, force: true });
    },
  };
}

/** Milliseconds until a bare HTTP server in a fresh Node.js process has answered one request. */
export function bareServerStart(): Promise<number> {
  const started = performance.now();
  const code = `const s=require('node:http').createServer((q,r)=>r.end('ok'));s.listen(0,'127.0.0.1',()=>require('node:http').get(s.address(),(r)=>{r.resume();r.on('end',()=>{console.log('up');process.exit(0)})}))`;
  return new Promise((done, fail) => {
    const child = spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
    child.stdout.once('data', () => done(performance.now() - started));
    child.on('error', fail);
  });
}
