import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { must } from './run.ts';

/** A machine beyond this one, which is 198.51.100.1 to it: a network namespace without a way to pods. */
export interface Outside {
  /** An HTTP server that answers with the address of its client. */
  readonly url: string;
  close(): void;
}

const server = `require('node:http').createServer((request, response) => response.end(request.socket.remoteAddress)).listen(8000, '198.51.100.2', () => console.log('ready'))`;

/** Makes the namespace and a link to it. */
export async function startOutside(): Promise<Outside> {
  const link = `out${randomBytes(4).toString('hex')}`;
  const keeper = spawn('unshare', ['--net', 'sh', '-c', 'echo ready; exec sleep infinity'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await new Promise<void>((resolve) => keeper.stdout.once('data', () => resolve()));
  const pid = String(keeper.pid);
  await must('ip', ['link', 'add', link, 'type', 'veth', 'peer', 'name', 'out', 'netns', pid]);
  await must('ip', ['addr', 'add', '198.51.100.1/30', 'dev', link]);
  await must('ip', ['link', 'set', link, 'up']);
  await must('nsenter', [
    '-t',
    pid,
    '-n',
    'sh',
    '-ec',
    'ip addr add 198.51.100.2/30 dev out; ip link set out up',
  ]);
  const listener = spawn('nsenter', ['-t', pid, '-n', process.execPath, '-e', server], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await new Promise<void>((resolve) => listener.stdout.once('data', () => resolve()));
  return {
    url: 'http://198.51.100.2:8000/',
    close() {
      listener.kill('SIGKILL');
      keeper.kill('SIGKILL');
    },
  };
}
