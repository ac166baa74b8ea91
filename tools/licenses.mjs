// Writes THIRD_PARTY_LICENSES.md: every package that is installed with Kanoe, and each distinct licence text once.
//   node tools/licenses.mjs            writes the file
//   node tools/licenses.mjs --check    fails when the file is out of date
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');
const output = join(root, 'THIRD_PARTY_LICENSES.md');
const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));

/** Production packages of the lock file. Binaries built for one system stand in for all of them under their parent's text. */
function packages() {
  const entries = Object.entries(lock.packages);
  // The lock file states the licence only of what was installed where it was written; binaries of one scope share theirs.
  const sibling = (path) =>
    entries.find(([other, { license }]) => license && dirname(other) === dirname(path))?.[1].license;
  return entries
    .filter(([path, { dev }]) => path !== '' && !dev)
    .map(([path, { version, license, os }]) => ({
      name: path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length),
      path: join(root, path),
      version,
      license: license ?? (os && sibling(path)) ?? 'unknown',
      perSystem: os !== undefined,
    }))
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : a.version < b.version ? -1 : 1));
}

/** The licence, copyright and notice files of a package, one after the other; empty when it ships none. */
function textOf({ path, name, perSystem }) {
  if (perSystem) return '';
  if (!existsSync(path)) throw new Error(`${name} is not installed: run npm ci first`);
  return readdirSync(path)
    .filter((file) => /^(licen[cs]e|copying|notice|copyrightnotice)/i.test(file))
    .sort()
    .map((file) =>
      readFileSync(join(path, file), 'utf8')
        .replaceAll('\r\n', '\n')
        .replaceAll(/[ \t]+$/gm, '')
        .trim(),
    )
    .join('\n\n');
}

/** A fence that no line of the text closes. */
function fenced(text) {
  return text.includes('```') ? `~~~text\n${text}\n~~~` : `\`\`\`text\n${text}\n\`\`\``;
}

const all = packages();
const groups = new Map();
for (const one of all) {
  const text = textOf(one);
  if (text !== '') groups.set(text, [...(groups.get(text) ?? []), one]);
}
const without = all.filter((one) => !one.perSystem && textOf(one) === '');

const lines = [
  '# Third-party licences',
  '',
  'Kanoe itself is licensed under the [Apache License 2.0](LICENSE). Written by `tools/licenses.mjs` from the packages of',
  '`package-lock.json` that are installed with Kanoe; development tools are left out.',
  '',
  'The API kinds, their field tables and the bootstrap roles (`*.gen.ts` below `src/`) are generated from the machine-readable',
  'API description of [Kubernetes](https://github.com/kubernetes/kubernetes) 1.36 (Apache-2.0, Copyright The Kubernetes Authors),',
  'without its descriptive texts.',
  '',
  '| package | version | licence |',
  '|---|---|---|',
  ...all.map(({ name, version, license }) => `| ${name} | ${version} | ${license} |`),
  '',
  'Packages that hold a binary for one system (`@lmdb/lmdb-*`, `@lydell/node-pty-*`, `@msgpackr-extract/*`) ship no text of',
  'their own; that of the package they belong to (`lmdb`, `@lydell/node-pty`, `msgpackr-extract`) applies.',
  ...(without.length > 0
    ? [
        `No licence text is in the packages of ${without.map(({ name }) => `\`${name}\``).join(', ')}; their \`package.json\` states the licence.`,
      ]
    : []),
  '',
  ...[...groups].flatMap(([text, users]) => [
    `## ${users.map(({ name, version }) => `${name} ${version}`).join(', ')}`,
    '',
    fenced(text),
    '',
  ]),
];
const updated = lines.join('\n');
if (!process.argv.includes('--check')) writeFileSync(output, updated);
else if (!existsSync(output) || readFileSync(output, 'utf8') !== updated) {
  console.error('THIRD_PARTY_LICENSES.md is out of date: run node tools/licenses.mjs');
  process.exit(1);
}
