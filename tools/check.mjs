// `npm run check`: format, lint, layers, types, dead code and unit tests, in under a minute.
import { spawn } from 'node:child_process';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');
const bin = (name) => join(root, 'node_modules/.bin', name);
// What takes long for a reason is left to `npm test`: faults at every call of a controller, real containers.
const slow = [
  '**/node_modules/**',
  '**/convergence.test.ts',
  '**/native-runtime.test.ts',
  '**/scheduler-properties.test.ts',
];
const steps = [
  ['format', bin('oxfmt'), ['--check', '.']],
  ['lint', bin('oxlint'), ['--type-aware', 'src', 'bin', 'test', 'bench', 'tools']],
  ['layers', process.execPath, [join(root, 'tools/check-layers.mjs')]],
  ['layers drawn', process.execPath, [join(root, 'tools/draw-layers.mjs'), '--check']],
  ['licences', process.execPath, [join(root, 'tools/licenses.mjs'), '--check']],
  ['types', bin('tsc'), ['--noEmit', '-p', '.']],
  ['dead code', bin('knip'), []],
  [
    'unit tests',
    bin('vitest'),
    ['run', '--silent=passed-only', '--no-isolate', ...slow.flatMap((glob) => ['--exclude', glob])],
  ],
];

function run([name, command, args]) {
  return new Promise((resolveStep) => {
    const started = performance.now();
    const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
    child.on('exit', (code) => {
      const seconds = ((performance.now() - started) / 1000).toFixed(1);
      console.log(`${code === 0 ? 'ok  ' : 'FAIL'} ${name} (${seconds} s)`);
      if (code !== 0) console.log(output.trimEnd());
      resolveStep(code === 0);
    });
  });
}

let ok = true;
for (const step of steps) ok = (await run(step)) && ok;
process.exit(ok ? 0 : 1);
