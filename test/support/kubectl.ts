import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { KubeObject } from '../../src/machinery/object.ts';
import { must, run, runBytes, start } from './run.ts';
import type { Outcome, Running, RunOptions } from './run.ts';

/** One kubectl of this machine. */
export interface KubectlProgram {
  readonly file: string;
  /** `1.33`. */
  readonly version: string;
}

const cache = resolve(import.meta.dirname, '../../node_modules/.cache/kanoe/kubectl');
const folders = ['/usr/lib/google-cloud-sdk/bin', '/usr/local/bin', '/usr/bin', '/bin'];

let found: readonly KubectlProgram[] | undefined;

/** Every kubectl of this machine, one a minor version, oldest first. */
export function findKubectls(): readonly KubectlProgram[] {
  found ??= search();
  return found;
}

/** The newest kubectl; throws when there is none. */
export function newestKubectl(): KubectlProgram {
  const newest = findKubectls().at(-1);
  if (!newest) throw new Error('there is no kubectl on this machine');
  return newest;
}

/** Those kubectls whose minor version lies in a range. */
export function kubectlsBetween(first: number, last: number): readonly KubectlProgram[] {
  return findKubectls().filter(({ version }) => minorOf(version) >= first && minorOf(version) <= last);
}

function search(): readonly KubectlProgram[] {
  const candidates = [
    ...folders.flatMap((folder) =>
      existsSync(folder)
        ? readdirSync(folder)
            .filter((name) => /^kubectl(\.1\.\d+)?$/.test(name))
            .map((name) => join(folder, name))
        : [],
    ),
    ...(existsSync(cache) ? readdirSync(cache).map((name) => join(cache, name, 'kubectl')) : []),
  ];
  const byVersion = new Map<string, KubectlProgram>();
  for (const file of candidates) {
    const version = versionOf(file);
    if (version && !byVersion.has(version)) byVersion.set(version, { file, version });
  }
  return [...byVersion.values()].sort((a, b) => minorOf(a.version) - minorOf(b.version));
}

function versionOf(file: string): string | undefined {
  try {
    const text = execFileSync(file, ['version', '--client', '-o', 'json'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      env: { PATH: '/usr/bin:/bin', HOME: '/nonexistent', KUBECONFIG: '/dev/null' },
    });
    // A dispatcher starts another kubectl, whichever it thinks fits the server.
    if (text.includes('dispatcher')) return undefined;
    return /"gitVersion": "v(1\.\d+)/.exec(text)?.[1];
  } catch {
    return undefined;
  }
}

function minorOf(version: string): number {
  return Number(version.split('.')[1]);
}

/** kubectl as one person uses it: against one cluster, with a cache of its own. */
export interface Kubectl {
  readonly version: string;
  /** Runs it; a failure throws with what it wrote. Gives standard output. */
  (...args: readonly string[]): Promise<string>;
  /** Runs it with standard input; a failure throws. */
  withInput(input: string, ...args: readonly string[]): Promise<string>;
  /** Runs it, whatever its exit code. */
  try(args: readonly string[], options?: RunOptions): Promise<Outcome>;
  bytes(args: readonly string[], options?: RunOptions): ReturnType<typeof runBytes>;
  /** Runs it with `-o json` and parses. */
  json<T = KubeObject>(...args: readonly string[]): Promise<T>;
  /** Applies objects given as YAML or as JSON. */
  apply(manifest: string | readonly object[]): Promise<string>;
  /** Starts one that goes on by itself. */
  start(...args: readonly string[]): Running;
  /** Its command line, for a shell. */
  readonly command: readonly string[];
}

export interface KubectlTarget {
  readonly kubeconfig: string;
  /** Discovery is cached below. */
  readonly home: string;
}

/** Binds a kubectl to a cluster. */
export function bindKubectl(program: KubectlProgram, target: KubectlTarget): Kubectl {
  const env = { PATH: process.env['PATH'], HOME: target.home, KUBECONFIG: target.kubeconfig, LC_ALL: 'C' };
  const { file } = program;
  const call = (...args: readonly string[]): Promise<string> => must(file, args, { env });
  const withInput = (input: string, ...args: readonly string[]): Promise<string> =>
    must(file, args, { env, input });
  return Object.assign(call, {
    version: program.version,
    withInput,
    try: (args: readonly string[], options: RunOptions = {}) => run(file, args, { env, ...options }),
    bytes: (args: readonly string[], options: RunOptions = {}) => runBytes(file, args, { env, ...options }),
    json: async <T = KubeObject>(...args: readonly string[]): Promise<T> =>
      JSON.parse(await call(...args, '-o', 'json')) as T,
    apply: (manifest: string | readonly object[]) =>
      withInput(
        typeof manifest === 'string'
          ? manifest
          : manifest.map((object) => JSON.stringify(object)).join('\n---\n'),
        'apply',
        '-f',
        '-',
      ),
    start: (...args: readonly string[]) => start(file, args, { env }),
    command: ['env', `HOME=${target.home}`, `KUBECONFIG=${target.kubeconfig}`, file],
  });
}
