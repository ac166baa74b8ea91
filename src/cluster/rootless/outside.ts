import { spawn } from 'node:child_process';
import { readlink } from 'node:fs/promises';
import { sleep, type Clock } from '../../base/clock.ts';
import { outsideCommand, type OutsideTool } from './means.ts';

const stepMs = 20;
const patienceMs = 5000;

/**
 * Connects the network namespace that a process is about to make with the world, as whoever is not root can: by a process
 * outside that carries packets. Whether it works shows inside, by the link.
 */
export async function connectOutside(
  tool: OutsideTool,
  pid: number,
  options: { readonly clock: Clock; warn(text: string): void },
): Promise<{ close(): void }> {
  const network = (of: string): Promise<string> => readlink(`/proc/${of}/ns/net`).catch(() => '');
  const own = await network('self');
  for (let waited = 0; waited < patienceMs && (await network(String(pid))) === own; waited += stepMs)
    await sleep(options.clock, stepMs);
  const [file = tool, ...args] = outsideCommand(tool, pid);
  const child = spawn(file, args, { stdio: ['ignore', 'ignore', 'pipe', 'pipe'] });
  let last = '';
  child.stderr?.on('data', (text: Buffer) => (last = text.toString().trim() || last));
  let closed = false;
  child.once('error', ({ message }) => options.warn(`${tool}: ${message}`));
  child.once('exit', (code) => {
    if (!closed && code !== 0) options.warn(`${tool} ended with code ${code}: ${last}`);
  });
  return {
    close() {
      closed = true;
      child.kill();
    },
  };
}
