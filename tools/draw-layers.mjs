// Draws layers.json into ARCHITECTURE.md, between its markers.
//   node tools/draw-layers.mjs            writes the drawing
//   node tools/draw-layers.mjs --check    fails when the drawing is out of date
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');
const document = join(root, 'ARCHITECTURE.md');
const begin = '<!-- layers: drawn by tools/draw-layers.mjs from layers.json -->';
const end = '<!-- /layers -->';
const width = 92;

const { levels } = JSON.parse(readFileSync(join(root, 'layers.json'), 'utf8'));

/** A folder as it stands in its box; in brackets when its code is not there yet. */
function label(folder) {
  const name = folder.replace(/^src\//, '');
  return existsSync(join(root, folder)) ? name : `(${name})`;
}

/** Cells of one level, as wide as the drawing together. */
function cells(folders) {
  const inner = width - folders.length - 1;
  return folders.map((folder, at) => {
    const size = Math.floor((inner * (at + 1)) / folders.length) - Math.floor((inner * at) / folders.length);
    return { text: label(folder), size };
  });
}

/** Where the vertical lines of a level stand. */
function bars(row) {
  let at = 0;
  return [0, ...row.map(({ size }) => (at += size + 1))];
}

/** The line between two levels; each is undefined at an edge of the drawing. */
function rule(above, below) {
  const up = new Set(above);
  const down = new Set(below);
  return Array.from({ length: width }, (_, at) => {
    const key = `${up.has(at) ? 'u' : ''}${down.has(at) ? 'd' : ''}`;
    if (at === 0) return { u: '└', d: '┌', ud: '├' }[key] ?? '─';
    if (at === width - 1) return { u: '┘', d: '┐', ud: '┤' }[key] ?? '─';
    return { u: '┴', d: '┬', ud: '┼' }[key] ?? '─';
  }).join('');
}

function centred(text, size) {
  const left = Math.floor((size - text.length) / 2);
  return text.padStart(text.length + left).padEnd(size);
}

function draw() {
  const rows = levels.toReversed().map(cells);
  const lines = rows.flatMap((row, at) => [
    rule(rows[at - 1] && bars(rows[at - 1]), bars(row)),
    `│${row.map(({ text, size }) => centred(text, size)).join('│')}│`,
  ]);
  return ['```text', ...lines, rule(bars(rows.at(-1)), undefined), '```'].join('\n');
}

const text = readFileSync(document, 'utf8');
const from = text.indexOf(begin);
const to = text.indexOf(end);
if (from < 0 || to < from) {
  console.error(`ARCHITECTURE.md lacks the markers ${begin} and ${end}`);
  process.exit(1);
}
const updated = `${text.slice(0, from)}${begin}\n\n${draw()}\n\n${text.slice(to)}`;
if (!process.argv.includes('--check')) writeFileSync(document, updated);
else if (updated !== text) {
  console.error('the layers in ARCHITECTURE.md are out of date: run node tools/draw-layers.mjs');
  process.exit(1);
}
