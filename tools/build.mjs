// Builds dist/: type-checks and emits the library, then bundles the program into one file with a V8 code cache beside it.
//   node tools/build.mjs [--fast]     --fast leaves the type check and the library out
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';

const root = resolve(import.meta.dirname, '..');
const dist = join(root, 'dist');
const fast = process.argv.includes('--fast');

function run(command, args) {
  const { status } = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

if (!fast) {
  rmSync(dist, { recursive: true, force: true });
  run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.build.json']);
}
mkdirSync(join(dist, 'bin'), { recursive: true });

await build({
  absWorkingDir: root,
  entryPoints: {
    kanoe: 'bin/kanoe.ts',
    unpack: 'bin/unpack.ts',
    'network-worker': 'bin/network-worker.ts',
    'ingress-worker': 'bin/ingress-worker.ts',
    'rules-worker': 'bin/rules-worker.ts',
    detach: 'bin/detach.ts',
  },
  outdir: join(dist, 'bundle'),
  outExtension: { '.js': '.cjs' },
  bundle: true,
  platform: 'node',
  // A script with cached code has no callback for import().
  supported: { 'dynamic-import': false },
  target: 'node20',
  format: 'cjs',
  minifySyntax: true,
  minifyWhitespace: true,
  sourcemap: 'linked',
  external: ['lmdb', '@lydell/node-pty', '@grpc/grpc-js', '@grpc/proto-loader'],
  logLevel: 'warning',
});

writeFileSync(
  join(dist, 'bin/kanoe.js'),
  `#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import vm from 'node:vm';

// A start in the background needs only a small program in the foreground; the other process loads the whole one.
const words = process.argv.slice(2);
const detaches = words[0] === 'up' && words.some((word) => word === '--detach' || word === '-d') && !process.send;
const file = fileURLToPath(new URL(\`../bundle/\${detaches ? 'detach' : 'kanoe'}.cjs\`, import.meta.url));
let cachedData;
try {
  if (!detaches) cachedData = readFileSync(\`\${file}.\${process.version}-\${process.arch}.cache\`);
} catch {}
// The bundle is ASCII, which latin1 reads without decoding.
const script = new vm.Script(\`(function (exports, require, module, __filename, __dirname) {\${readFileSync(file, 'latin1')}\\n})\`, {
  filename: file,
  ...(cachedData && { cachedData }),
  importModuleDynamically: vm.constants?.USE_MAIN_CONTEXT_DEFAULT_LOADER,
});
globalThis[Symbol.for('kanoe.script')] = script;
const module = { exports: {} };
script.runInThisContext()(module.exports, createRequire(file), module, file, dirname(file));
`,
);
chmodSync(join(dist, 'bin/kanoe.js'), 0o755);
run(process.execPath, [join(dist, 'bin/kanoe.js'), 'internal', 'code-cache']);
