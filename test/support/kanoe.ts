import { randomBytes } from 'node:crypto';
import { chownSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect } from 'vitest';
import { bindKubectl, newestKubectl } from './kubectl.ts';
import type { Kubectl, KubectlProgram } from './kubectl.ts';
import { machineWithout } from './machine-without.ts';
import { run, start } from './run.ts';
import type { Outcome, Running, RunOptions } from './run.ts';
import { tracesOf } from './traces-of.ts';

export const projectRoot: string = resolve(import.meta.dirname, '../..');

/** The built program. */
export const kanoeProgram: string = process.env['KANOE_PROGRAM'] ?? join(projectRoot, 'dist/bin/kanoe.js');

/** What Kanoe remembers of a cluster; a test reads the file as somebody outside would. */
export interface Record {
  readonly id: string;
  readonly dataDirectory: string;
  readonly runDirectory: string;
  readonly podCidr: string;
  readonly serviceCidr: string;
  readonly server?: string;
  readonly process?: { readonly pid: number };
  readonly startup: {
    readonly apiReadyMs?: number;
    readonly nodeReadyMs?: number;
    readonly dnsReadyMs?: number;
  };
}

/** A person's home in a temporary folder, a cluster name nobody else has, and the program. */
export interface Workplace {
  readonly name: string;
  /** Temporary; `KANOE_HOME` is `home` in it. */
  readonly directory: string;
  readonly kubeconfig: string;
  readonly env: NodeJS.ProcessEnv;
  /** Runs `kanoe ARGS --name NAME`, whatever the exit code. */
  kanoe(args: readonly string[], options?: RunOptions): Promise<Outcome>;
  /** As `kanoe`; a failure throws with what was written. Gives standard output and error. */
  mustKanoe(args: readonly string[], options?: RunOptions): Promise<string>;
  /** Starts `kanoe ARGS --name NAME` and leaves it running. */
  spawnKanoe(...args: readonly string[]): Running;
  /** `up --detach` with a free port and the kubeconfig of this workplace; throws when it fails. */
  up(args?: readonly string[]): Promise<string>;
  /** `down`, and nothing but the data may be left. */
  down(): Promise<void>;
  record(): Record;
  /** What is left of the cluster outside its data. */
  traces(): readonly string[];
  kubectl(program?: KubectlProgram): Kubectl;
  /** `down --purge`, no trace may be left, and the folder goes. */
  stop(): Promise<void>;
}

const nobody = 65_534;
const asNobody = ['setpriv', `--reuid=${nobody}`, `--regid=${nobody}`, '--clear-groups'];

export interface WorkplaceOptions {
  /** Programs of the machine that Kanoe must do without. */
  readonly without?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  /** Run by somebody without any rights. */
  readonly unprivileged?: true;
  /** Another workplace's `KANOE_HOME`; that one must be stopped last. */
  readonly home?: string;
}

/** Makes a place for one cluster; starts nothing. */
export async function makeWorkplace(options: WorkplaceOptions = {}): Promise<Workplace> {
  if (!existsSync(kanoeProgram)) throw new Error(`${kanoeProgram} is missing: run npm run build first`);
  const directory = mkdtempSync(join(tmpdir(), 'kanoe-e2e-'));
  const name = `t${randomBytes(4).toString('hex')}`;
  const home = options.home ?? join(directory, 'home');
  const kubeconfig = join(directory, 'kubeconfig');
  mkdirSync(home, { recursive: true });
  const machine = options.without
    ? await machineWithout(options.without, join(directory, 'hidden'))
    : undefined;
  const env = {
    PATH: process.env['PATH'],
    HOME: directory,
    KANOE_HOME: home,
    KUBECONFIG: join(directory, 'own-kubeconfig'),
    LC_ALL: 'C',
    ...options.env,
  };
  if (options.unprivileged) for (const path of [directory, home]) chownSync(path, nobody, nobody);
  const [file, ...before] = [
    ...(machine?.enter ?? []),
    ...(options.unprivileged ? asNobody : []),
    process.execPath,
    kanoeProgram,
  ] as const;
  const line = (args: readonly string[]): readonly string[] => [...before, ...args, '--name', name];
  const record = (): Record =>
    JSON.parse(readFileSync(join(home, 'clusters', `${name}.json`), 'utf8')) as Record;
  let last: Record | undefined;
  const ranges = ownRanges();
  const workplace: Workplace = {
    name,
    directory,
    kubeconfig,
    env,
    record,
    kanoe: (args, more = {}) => run(file, line(args), { env, ...more }),
    async mustKanoe(args, more = {}) {
      const { code, stdout, stderr } = await workplace.kanoe(args, more);
      if (code !== 0) throw new Error(`kanoe ${args.join(' ')}: exit code ${code}\n${stderr}${stdout}`);
      return stderr + stdout;
    },
    spawnKanoe: (...args) => start(file, line(args), { env }),
    async up(args = []) {
      const text = await workplace.mustKanoe(
        ['up', '--detach', '--port', '0', '--kubeconfig', kubeconfig, ...ranges, ...args],
        { timeoutMs: 170_000 },
      );
      last = record();
      return text;
    },
    async down() {
      last = record();
      await workplace.mustKanoe(['down']);
      expect(workplace.traces()).toEqual([]);
    },
    traces() {
      const { id, dataDirectory, runDirectory } = last ?? record();
      return tracesOf({ id, dataDirectory, runDirectory, ...(machine && { mountsOf: machine.pid }) });
    },
    kubectl: (program = newestKubectl()) => bindKubectl(program, { kubeconfig, home: directory }),
    async stop() {
      try {
        if (existsSync(join(home, 'clusters', `${name}.json`))) {
          last = record();
          await workplace.mustKanoe(['down', '--purge']);
          expect(workplace.traces()).toEqual([]);
          expect(existsSync(last.dataDirectory)).toBe(false);
        }
      } finally {
        machine?.close();
      }
      rmSync(directory, { recursive: true, force: true });
    },
  };
  return workplace;
}

let workplaces = 0;

/**
 * Networks that no other file of tests takes, for those that run beside others: a cluster that is started again beside them
 * needs those it had.
 */
function ownRanges(): readonly string[] {
  if (process.env['KANOE_TEST_RANGES'] !== 'own') return [];
  const second = 30 * Number(process.env['VITEST_POOL_ID'] ?? 1) + 2 * (workplaces++ % 14);
  return ['--pod-cidr', `10.${second}.0.0/16`, '--service-cidr', `10.${second + 1}.0.0/16`];
}

/** Brings up one cluster in the background, with `up`'s further arguments. */
export async function startKanoe(
  args: readonly string[] = [],
  options: WorkplaceOptions = {},
): Promise<Workplace> {
  const workplace = await makeWorkplace(options);
  try {
    await workplace.up(args);
  } catch (error) {
    await workplace.stop().catch(() => undefined);
    throw error;
  }
  return workplace;
}
