// `npm test`: builds, then runs the unit tests and the end-to-end tests; ends with one line of totals.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');
const scratch = mkdtempSync(join(tmpdir(), 'kanoe-test-'));
let failed = 0;
let passed = 0;
let found = 0;
const skipped = [];
const failures = [];

function fail(name, message = '') {
  failed += 1;
  failures.push(message === '' ? name : `${name}\n  ${message.trim().split('\n').slice(0, 12).join('\n  ')}`);
}

function step(name, command, args) {
  const { status } = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  if (status === 0) passed += 1;
  else fail(name);
  return status === 0;
}

/** Runs the tests of a configuration. What the first of several at once writes is seen at once, that of the others at the end. */
async function vitest(config, stdio = 'inherit') {
  const report = join(scratch, `${config}.json`);
  const child = spawn(
    join(root, 'node_modules/.bin/vitest'),
    [
      'run',
      '--config',
      config,
      '--passWithNoTests',
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${report}`,
      ...process.argv.slice(2),
    ],
    { cwd: root, stdio: ['ignore', stdio, stdio] },
  );
  const written = [];
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (bytes) => written.push(bytes));
  const [code] = await once(child, 'close');
  const before = failed;
  process.stdout.write(Buffer.concat(written));
  let results;
  try {
    results = JSON.parse(readFileSync(report, 'utf8'));
  } catch {
    fail(`${config}: no report`);
    return;
  }
  found += results.numTotalTests;
  passed += results.numPassedTests;
  for (const file of results.testResults) {
    const name = relative(root, file.name);
    if (file.status === 'failed' && file.assertionResults.every((test) => test.status !== 'failed'))
      fail(name, file.message);
    for (const test of file.assertionResults) {
      if (test.status === 'failed') fail(`${name}: ${test.fullName}`, test.failureMessages.join('\n'));
      if (test.status === 'skipped' || test.status === 'pending' || test.status === 'todo')
        skipped.push(test.fullName);
    }
  }
  if (code !== 0 && failed === before) fail(`${config}: exit code ${code}, though no test failed`);
}

if (step('build', process.execPath, [join(root, 'tools/build.mjs')])) {
  await vitest('vitest.config.ts');
  await Promise.all([vitest('vitest.e2e.config.ts'), vitest('vitest.e2e-ports.config.ts', 'pipe')]);
}
if (found === 0) {
  fail('no test was found');
}
rmSync(scratch, { recursive: true, force: true });
for (const name of skipped) console.log(`skipped: ${name}`);
if (skipped.length > 0 && process.env.KANOE_NO_SKIPS) {
  console.log(`${skipped.length} tests were skipped where nothing may be skipped`);
  failed += skipped.length;
}
for (const failure of failures) console.log(`failed: ${failure}`);
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
