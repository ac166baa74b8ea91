import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** A view of this machine in which some programs are not installed: a mount namespace of its own. */
export interface ReducedMachine {
  /** The process that keeps the view alive. */
  readonly pid: number;
  /** What a command line begins with to run inside. */
  readonly enter: readonly string[];
  close(): void;
}

const folders = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

/** Hides programs by overlays with whiteouts over the folders that have them; nobody outside sees a difference. */
export async function machineWithout(programs: readonly string[], scratch: string): Promise<ReducedMachine> {
  const script: string[] = [];
  for (const [at, folder] of [...new Set(folders.map((path) => realpathSync(path)))].entries()) {
    const whiteouts = join(scratch, `whiteouts-${at}`);
    const hidden = programs.filter((name) => spawnSync('test', ['-e', join(folder, name)]).status === 0);
    if (hidden.length === 0) continue;
    mkdirSync(whiteouts, { recursive: true });
    for (const name of hidden) spawnSync('mknod', [join(whiteouts, name), 'c', '0', '0']);
    script.push(`mount -t overlay overlay -o lowerdir=${whiteouts}:${folder} ${folder}`);
  }
  const keeper = spawn(
    'unshare',
    [
      '--mount',
      '--propagation',
      'slave',
      'sh',
      '-ec',
      `${script.join('\n')}\necho ready\nexec sleep infinity`,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'], cwd: dirname(scratch) },
  );
  const { pid } = keeper;
  if (pid === undefined) throw new Error('unshare cannot be started');
  await new Promise<void>((resolve, reject) => {
    keeper.stdout.once('data', () => resolve());
    keeper.once('exit', (code) => reject(new Error(`the reduced machine ended with code ${code}`)));
  });
  return {
    pid,
    enter: ['nsenter', '--target', String(pid), '--mount', '--wd=.'],
    close: () => void keeper.kill('SIGKILL'),
  };
}
