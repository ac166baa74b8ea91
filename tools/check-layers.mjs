// Holds the imports of src/ and bin/ to layers.json, and the sizes and names of files to the house limits.
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');
const { levels, rules } = JSON.parse(readFileSync(join(root, 'layers.json'), 'utf8'));
const levelOf = new Map(levels.flatMap((folders, level) => folders.map((folder) => [folder, level])));
const forbiddenNames = /^(utils?|helpers?|common|misc|shared|types|constants|index)\.ts$/;
const importPattern =
  /(?:^|\n)\s*(?:import|export)\s[^'"]*?from\s*['"]([^'"]+)['"]|import\(\s*['"]([^'"]+)['"]\s*\)|(?:^|\n)\s*import\s*['"]([^'"]+)['"]/g;

function* sources(folder) {
  let entries;
  try {
    entries = readdirSync(folder);
  } catch (error) {
    if (error.code === 'ENOENT') return;
    throw error;
  }
  for (const entry of entries) {
    const path = join(folder, entry);
    if (statSync(path).isDirectory()) yield* sources(path);
    else if (path.endsWith('.ts')) yield path;
  }
}

const layerOf = (path) =>
  [...levelOf.keys()].find((folder) => path === folder || path.startsWith(`${folder}/`));
const allowed = (list, path) => list.some((prefix) => path === prefix || path.startsWith(`${prefix}/`));
const problems = [];

for (const top of ['src', 'bin']) {
  for (const file of sources(join(root, top))) {
    const path = relative(root, file);
    const text = readFileSync(file, 'utf8');
    const lines = text.split('\n').length - 1;
    const name = path.slice(path.lastIndexOf('/') + 1);
    const isTest = /\.(test|contract)\.ts$/.test(name);
    if (forbiddenNames.test(name))
      problems.push(`${path}: a file is named for the one thing it exports, not ${name}`);
    if (!name.endsWith('.gen.ts') && lines > (isTest ? 1200 : 600))
      problems.push(`${path}: ${lines} lines; split it by concern`);
    const layer = layerOf(path);
    if (!layer) {
      problems.push(`${path}: lies in no layer of layers.json`);
      continue;
    }
    if (!isTest && !name.endsWith('.bench.ts')) {
      if (/\bDate\.now\(|\bnew Date\(\)|\bperformance\.now\(/.test(text) && !allowed(rules.readsClock, path))
        problems.push(`${path}: reads the time; take a Clock (only ${rules.readsClock.join(', ')} may)`);
      if (/\bprocess\.(argv|env)\b/.test(text) && !allowed(rules.readsArgvAndEnvironment, path))
        problems.push(`${path}: reads argv or the environment; only bin/ may`);
    }
    for (const match of text.matchAll(importPattern)) {
      const specifier = match[1] ?? match[2] ?? match[3];
      if (!specifier.startsWith('.')) continue;
      const target = relative(root, resolve(dirname(file), specifier));
      const targetLayer = layerOf(target);
      if (!targetLayer) {
        if (!isTest) problems.push(`${path}: imports ${target}, which lies in no layer`);
        continue;
      }
      if (targetLayer === layer) continue;
      if (levelOf.get(targetLayer) >= levelOf.get(layer))
        problems.push(`${path}: ${layer} must not import ${targetLayer} (${target})`);
    }
  }
}

for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exit(1);
console.log('layers: every import runs downwards');
