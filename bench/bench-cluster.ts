import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, readFile } from 'node:fs/promises';
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
const startMs = 300_000;
const stopMs = 120_000;

/**
 * Starts a cluster that ends with the benchmark, however that ends, and gives up after 5 minutes; `enter` begins the command line,
 * to start it in a reduced view of the machine.
 */
export async function startBenchCluster(
  args: readonly string[] = [],
  enter: readonly string[] = [],
): Promise<BenchCluster> {
  const [file, ...before] = [...enter, process.execPath, program] as const;
  const home = await mkdtemp(join(tmpdir(), 'kanoe-bench-'));
  const heir = startHeir(home);
  const kubeconfig = join(home, 'kubeconfig');
  const env = { ...process.env, KANOE_HOME: home };
  const started = performance.now();
  try {
    await promisify(execFile)(
      file,
      [...before, 'up', '--detach', '--name', 'bench', '--port', '0', '--kubeconfig', kubeconfig, ...args],
      { env, timeout: startMs },
    );
  } catch (error) {
    await leave(heir);
    throw error;
  }
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
      await promisify(execFile)(file, [...before, 'down', '--name', 'bench', '--purge'], {
        env,
        timeout: stopMs,
      }).catch(() => undefined);
      await leave(heir);
    },
  };
}

/**
 * A process that waits until this one has ended, or lets it go, and then kills what is left of the cluster and removes its
 * files: benchmarks are ended by time-outs and by hand.
 */
function startHeir(home: string): ChildProcess {
  const script = `cat >/dev/null
pid=$(sed -n 's/.*"pid": *\\([0-9]*\\).*/\\1/p' "$1/clusters/bench.json" 2>/dev/null | head -n 1)
[ -n "$pid" ] && grep -q kanoe "/proc/$pid/cmdline" 2>/dev/null && kill -9 "$pid"
rm -rf "$1"`;
  return spawn('sh', ['-c', script, 'sh', home], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
}

function leave(heir: ChildProcess): Promise<void> {
  return new Promise((done) => {
    heir.once('exit', () => done());
    heir.stdin?.end();
  });
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
