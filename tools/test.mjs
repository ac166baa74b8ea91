// `npm test`: builds, then runs the unit tests and the end-to-end tests; ends with one line of totals.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');
const scratch = mkdtempSync(join(tmpdir(), 'kanoe-test-'));
let failed = 0;
let passed = 0;
const skipped = [];

function step(name, command, args) {
  const { status } = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  if (status !== 0) failed += 1;
  else passed += 1;
  return status === 0;
}

function vitest(config) {
  const report = join(scratch, `${config}.json`);
  spawnSync(
    join(root, 'node_modules/.bin/vitest'),
    [
      'run',
      '--config',
      config,
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${report}`,
      ...process.argv.slice(2),
    ],
    {
      cwd: root,
      stdio: 'inherit',
    },
  );
  let results;
  try {
    results = JSON.parse(readFileSync(report, 'utf8'));
  } catch {
    failed += 1;
    return;
  }
  passed += results.numPassedTests;
  failed += results.numFailedTests;
  for (const file of results.testResults) {
    if (file.status === 'failed' && file.assertionResults.every((test) => test.status !== 'failed'))
      failed += 1;
    for (const test of file.assertionResults) {
      if (test.status === 'skipped' || test.status === 'pending' || test.status === 'todo')
        skipped.push(test.fullName);
    }
  }
}

if (step('build', process.execPath, [join(root, 'tools/build.mjs')])) {
  vitest('vitest.config.ts');
  vitest('vitest.e2e.config.ts');
}
rmSync(scratch, { recursive: true, force: true });
for (const name of skipped) console.log(`skipped: ${name}`);
if (skipped.length > 0 && process.env.KANOE_NO_SKIPS) {
  console.log(`${skipped.length} tests were skipped where nothing may be skipped`);
  failed += skipped.length;
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
