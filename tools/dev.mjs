// `npm run dev`: a live cluster from source; every change of bin/ or src/ rebuilds the program and starts it again.
import { spawn, spawnSync } from 'node:child_process';
import { watch } from 'node:fs';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');
let child;
let timer;

function rebuild() {
  const { status } = spawnSync(process.execPath, [join(root, 'tools/build.mjs'), '--fast'], {
    cwd: root,
    stdio: 'inherit',
  });
  return status === 0;
}

function start() {
  child = spawn(
    process.execPath,
    [join(root, 'dist/bin/kanoe.js'), 'up', '--name', 'dev', ...process.argv.slice(2)],
    { stdio: 'inherit' },
  );
}

function restart() {
  if (!rebuild()) return;
  child.once('exit', start);
  child.kill('SIGTERM');
}

if (!rebuild()) process.exit(1);
start();
for (const folder of ['bin', 'src']) {
  watch(join(root, folder), { recursive: true }, () => {
    clearTimeout(timer);
    timer = setTimeout(restart, 200);
  });
}
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => {
    child.once('exit', () => process.exit(0));
    child.kill('SIGTERM');
  });
}
