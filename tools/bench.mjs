// `npm run bench [NAME …]`: runs bench/*.bench.ts one after the other; each row stands beside a limit measured in the same run.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const root = resolve(import.meta.dirname, '..');
const wanted = process.argv.slice(2);
const files = readdirSync(join(root, 'bench')).filter(
  (name) => name.endsWith('.bench.ts') && (wanted.length === 0 || wanted.some((part) => name.includes(part))),
);
const scratch = mkdtempSync(join(root, 'node_modules/.bench-'));
try {
  for (const file of files) {
    const outfile = join(scratch, file.replace(/\.ts$/, '.mjs'));
    await build({
      entryPoints: [join(root, 'bench', file)],
      outfile,
      bundle: true,
      platform: 'node',
      format: 'esm',
      target: 'node20',
      packages: 'external',
      logLevel: 'warning',
    });
    const { name, run } = await import(pathToFileURL(outfile).href);
    console.log(`\n${name}`);
    await run((row) => {
      const limit =
        row.limit === undefined
          ? ''
          : `   limit ${format(row.limit)} ${row.unit}   ratio ${(row.value / row.limit).toFixed(2)}`;
      console.log(`  ${row.what.padEnd(52)} ${format(row.value).padStart(12)} ${row.unit}${limit}`);
    });
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
process.exit(0);

function format(value) {
  return value >= 100 ? Math.round(value).toLocaleString('en') : value.toPrecision(3);
}
