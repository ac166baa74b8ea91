import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe } from 'vitest';
import { kubectlsBetween } from './kubectl.ts';

/** What a group of tests needs of the machine. */
export interface Needs {
  /** Linux and root: native containers, links, control groups. */
  readonly root?: true;
  /** kubectl 1.27 or newer. */
  readonly kubectl?: true;
  /** Programs in PATH. */
  readonly tools?: readonly string[];
  /** Archives in the folder `$KANOE_IMAGES`, without `.tar`. */
  readonly images?: readonly string[];
  /** Files in the folder `$KANOE_CASES`. */
  readonly cases?: readonly string[];
  /** Paths of further files. */
  readonly files?: readonly string[];
  /** Helm, as `tools/fetch-clients.mjs` fetches it. */
  readonly helm?: true;
  /** Python with the package `kubernetes`. */
  readonly pythonClient?: true;
  /** Recorded exchanges and their player in the folder `$KANOE_FIDELITY`. */
  readonly exchanges?: true;
  /** Samples of every kind in the folder `$KANOE_SPEC`. */
  readonly samples?: true;
}

/** The archive of an image that some tests need. */
export function imageArchive(name: string): string {
  return join(process.env['KANOE_IMAGES'] ?? 'KANOE_IMAGES', `${name}.tar`);
}

/** Somebody else's manifest that some tests need. */
export function caseFile(name: string): string {
  return join(process.env['KANOE_CASES'] ?? 'KANOE_CASES', name);
}

const helmCache = resolve(import.meta.dirname, '../../node_modules/.cache/kanoe/helm');

/** Why these needs are not met here; undefined when they are. */
export function unmetNeed(needs: Needs): string | undefined {
  if (needs.root && !(process.platform === 'linux' && process.getuid?.() === 0))
    return 'needs Linux and root';
  if (needs.kubectl && kubectlsBetween(27, 99).length === 0) return 'needs kubectl 1.27 or newer';
  if (needs.helm && !existsSync(helmCache)) return 'needs Helm: node tools/fetch-clients.mjs';
  if (needs.pythonClient && spawnSync('/usr/bin/python3', ['-c', 'import kubernetes']).status !== 0)
    return "needs Python's package kubernetes";
  if (needs.exchanges && !existsSync(join(process.env['KANOE_FIDELITY'] ?? 'KANOE_FIDELITY', 'play.mjs')))
    return 'needs recorded exchanges in KANOE_FIDELITY';
  if (needs.samples && !existsSync(join(process.env['KANOE_SPEC'] ?? 'KANOE_SPEC', 'roundtrip')))
    return 'needs samples in KANOE_SPEC';
  for (const tool of needs.tools ?? [])
    if (spawnSync('sh', ['-c', `command -v ${tool}`]).status !== 0) return `needs ${tool}`;
  const { images = [], cases = [], files = [] } = needs;
  for (const file of [...images.map(imageArchive), ...cases.map(caseFile), ...files])
    if (!existsSync(file)) return `needs ${file}`;
  return undefined;
}

/** A group of tests that is skipped, with the reason in its name, where its needs are not met. */
export function describeWith(needs: Needs, name: string, tests: () => void): void {
  const reason = unmetNeed(needs);
  const group = reason === undefined ? describe : describe.skip;
  group(`${name}${reason === undefined ? '' : ` (${reason})`}`, () => tests());
}
