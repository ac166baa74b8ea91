import { spawn, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  outputMatches,
  readConsoleDocument,
  type ConsoleBlock,
  type ConsoleStep,
} from './console-document.ts';

const root = resolve(import.meta.dirname, '..');
const program = join(root, 'dist/bin/kanoe.js');
const commandTimeoutMs = 150_000;

const documents = [
  'README.md',
  ...['docs', 'design'].flatMap((folder) =>
    readdirSync(join(root, folder))
      .filter((name) => name.endsWith('.md'))
      .sort()
      .map((name) => `${folder}/${name}`),
  ),
].map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));

/** Why a need of a document is not met here; undefined when it is. */
function unmet(need: string): string | undefined {
  if (need === 'root') {
    const isRoot = process.platform === 'linux' && process.getuid?.() === 0;
    return isRoot ? undefined : 'needs Linux and root';
  }
  if (need === 'ipv6') {
    const file = '/proc/sys/net/ipv6/conf/all/disable_ipv6';
    const isThere = existsSync(file) && readFileSync(file, 'utf8').trim() === '0';
    return isThere ? undefined : 'needs IPv6';
  }
  const found = spawnSync('sh', ['-c', `command -v ${need}`]).status === 0;
  return found ? undefined : `needs ${need}`;
}

/** A person's home, a place to work, and `kanoe` on the path. */
interface Workplace {
  readonly directory: string;
  readonly env: NodeJS.ProcessEnv;
}

function makeWorkplace(): Workplace {
  if (!existsSync(program)) throw new Error(`${program} is missing: run npm run build first`);
  const directory = mkdtempSync(join(tmpdir(), 'kanoe-docs-'));
  const [tools, work] = [join(directory, 'bin'), join(directory, 'work')];
  for (const folder of [tools, work]) mkdirSync(folder);
  writeFileSync(join(tools, 'kanoe'), `#!/bin/sh\nexec '${process.execPath}' '${program}' "$@"\n`, {
    mode: 0o755,
  });
  symlinkSync(join(root, 'examples'), join(work, 'examples'));
  const { SUDO_UID: _uid, SUDO_GID: _gid, NODE_OPTIONS: _options, ...inherited } = process.env;
  return {
    directory,
    env: {
      ...inherited,
      PATH: `${tools}:${process.env['PATH'] ?? ''}`,
      HOME: directory,
      KANOE_HOME: join(directory, '.kanoe'),
      KUBECONFIG: join(directory, 'kubeconfig'),
      NO_COLOR: '1',
      LC_ALL: 'C',
    },
  };
}

/** Ends every cluster that the document's commands made. */
function clear({ directory, env }: Workplace): void {
  const listed = spawnSync('kanoe', ['list', '-o', 'json'], { env, encoding: 'utf8' });
  const { clusters } = JSON.parse(listed.stdout) as {
    readonly clusters: readonly { readonly name: string }[];
  };
  for (const { name } of clusters) {
    const { status, stderr } = spawnSync('kanoe', ['down', '--name', name, '--purge'], {
      env,
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`kanoe down --name ${name} --purge: ${stderr}`);
  }
  rmSync(directory, { recursive: true, force: true });
}

interface Outcome {
  /** Standard output and standard error as they came. */
  readonly output: string;
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number | null;
}

/** Runs a command; with `interruptWhen` it gets Ctrl-C as soon as that says so of its output. */
function run(
  { directory, env }: Workplace,
  command: string,
  interruptWhen?: (output: string) => boolean,
): Promise<Outcome> {
  return new Promise((done, fail) => {
    const child = spawn('bash', ['-c', command], {
      cwd: join(directory, 'work'),
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    const signal = (name: NodeJS.Signals): void => void (child.pid && process.kill(-child.pid, name));
    const said = { output: '', stdout: '', stderr: '' };
    let interrupted = false;
    const timer = setTimeout(() => {
      signal('SIGKILL');
      fail(
        new Error(`${command}\ndid not end within ${commandTimeoutMs / 1000} s; it printed:\n${said.output}`),
      );
    }, commandTimeoutMs);
    for (const stream of ['stdout', 'stderr'] as const)
      child[stream].setEncoding('utf8').on('data', (text: string) => {
        said[stream] += text;
        said.output += text;
        if (interrupted || !interruptWhen?.(said.output)) return;
        interrupted = true;
        signal('SIGINT');
      });
    child.on('error', fail);
    child.on('close', (exitCode) => {
      clearTimeout(timer);
      done({ ...said, exitCode });
    });
  });
}

/**
 * Runs a step. What it did that its document does not promise, with everything a person needs to see; undefined when all is
 * well.
 */
async function mismatch(
  workplace: Workplace,
  step: ConsoleStep,
  mode: ConsoleBlock['mode'],
): Promise<string | undefined> {
  const { line, command, expected } = step;
  const begun = (output: string): boolean => outputMatches(output, expected, 'beginning');
  const outcome = await run(workplace, command, mode === 'interrupt' ? begun : undefined);
  const { output, stdout, stderr, exitCode } = outcome;
  const said = `line ${line}: $ ${command}\n${output}`;
  if (exitCode !== step.exitCode) return `${said}\n--- exit code ${exitCode}, not ${step.exitCode} ---`;
  const extent = mode === 'run' ? 'whole' : 'beginning';
  if (expected.length === 0 || [output, stdout, stderr].some((text) => outputMatches(text, expected, extent)))
    return undefined;
  return `${said}\n--- instead of ---\n${expected.join('\n')}`;
}

for (const { path, text } of documents) {
  const { needs, blocks } = readConsoleDocument(text);
  if (blocks.length === 0) continue;
  const reasons = needs.map(unmet).filter((reason) => reason !== undefined);
  describe.skipIf(reasons.length > 0)(`${path}${reasons.map((reason) => ` (${reason})`).join('')}`, () => {
    let workplace: Workplace;
    // Set while a command runs and left so by one that fails: those behind it would only fail for the same reason.
    let broken = false;
    beforeAll(() => {
      workplace = makeWorkplace();
    });
    afterAll(() => clear(workplace));

    for (const { line, mode, steps } of blocks) {
      it(`line ${line}: ${steps[0]?.command.split('\n')[0]}`, { timeout: 2 * commandTimeoutMs }, async () => {
        expect(broken).toBe(false);
        broken = true;
        for (const step of steps) expect(await mismatch(workplace, step, mode)).toBeUndefined();
        broken = false;
      });
    }
  });
}

describe('commands that the documents name but a test of them cannot run', () => {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    readonly scripts: Readonly<Record<string, string>>;
  };

  it('are those of the repository itself', () => {
    const lines = documents.flatMap(({ path, text }) =>
      readConsoleDocument(text).unrun.map((line) => `${path}: ${line}`),
    );
    const known = [
      'npm ci',
      'npm start',
      'npm test',
      ...Object.keys(manifest.scripts).map((name) => `npm run ${name}`),
    ];
    const strangers = lines.filter(
      (line) =>
        !line
          .replace(/^\S+: /, '')
          .replace(/\s+#.*$/, '')
          .split(' && ')
          .every(
            (command) => known.includes(command.replace(/ -- .*$/, '')) || /^npx kanoe \w+/.test(command),
          ),
    );
    expect(strangers).toEqual([]);
  });
});

describe('documents', () => {
  const all = [
    ...documents,
    ...['ARCHITECTURE.md', 'CONTRIBUTING.md', 'bench/README.md'].map((path) => ({
      path,
      text: readFileSync(join(root, path), 'utf8'),
    })),
  ];

  it('link to files that exist', () => {
    const missing = all.flatMap(({ path, text }) =>
      [...text.matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)(?:#[^)]*)?\)/g)]
        .map(([, target = '']) => target)
        .filter((target) => !existsSync(resolve(root, path, '..', target)))
        .map((target) => `${path}: ${target}`),
    );
    expect(missing).toEqual([]);
  });

  it('name source files that exist', () => {
    const missing = all.flatMap(({ path, text }) =>
      [...text.matchAll(/`((?:src|bin|tools|test|bench|examples)\/[\w./-]+\.(?:ts|mjs|yaml|md))`/g)]
        .map(([, file = '']) => file)
        .filter((file) => !existsSync(join(root, file)))
        .map((file) => `${path}: ${file}`),
    );
    expect(missing).toEqual([]);
  });
});

describe('docs/cli.md', () => {
  it('has every command and option', () => {
    const text = readFileSync(join(root, 'docs/cli.md'), 'utf8');
    const help = (...args: readonly string[]): string =>
      spawnSync(process.execPath, [program, ...args, '--help'], { encoding: 'utf8' }).stdout;
    const commands = [...help().matchAll(/^ {2}([a-z-]+)[| ]/gm)].map(([, name = '']) => name);
    const documented = commands.filter((name) => name !== 'help' && name !== 'internal');
    const missing = documented.flatMap((name) => {
      const section = text.split(/^## /m).find((part) => part.startsWith(`\`kanoe ${name}\``)) ?? '';
      const general = text.split(/^## /m).find((part) => part.startsWith('Commands for objects')) ?? '';
      const options = [...help(name).matchAll(/^ {2}(?:-\w, )?(--[a-z-]+)/gm)].map(
        ([, option = '']) => option,
      );
      const absent = options.filter(
        (option) => !`${section}${general}`.includes(`\`${option}`) && option !== '--help',
      );
      return section === '' ? [name] : absent.map((option) => `${name} ${option}`);
    });
    expect(documented.length).toBeGreaterThan(0);
    expect(missing).toEqual([]);
  });

  it('has every controller', () => {
    const text = readFileSync(join(root, 'docs/cli.md'), 'utf8');
    const args = [program, 'up', '--name', 'none', '--controllers', 'none'];
    const { stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', env: { KANOE_HOME: tmpdir() } });
    const known = (/known are \*, (.*) \(/.exec(stderr)?.[1] ?? '').split(', ');
    expect(known.length).toBeGreaterThan(1);
    expect([...text.matchAll(/^\| `([a-z-]+)` \| (?:`[a-z-]+` )?\|$/gm)].map(([, name]) => name)).toEqual(
      known,
    );
  });
});

describe('design/dependencies.md', () => {
  it('has a line for every dependency, and for no other package', () => {
    const text = readFileSync(join(root, 'design/dependencies.md'), 'utf8');
    const rows = [...text.matchAll(/^\| (`.*?`) \|/gm)].map(([, names = '']) => names);
    const documented = rows.flatMap((row) => [...row.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name));
    const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      readonly dependencies: Readonly<Record<string, string>>;
      readonly devDependencies: Readonly<Record<string, string>>;
    };
    const used = [...Object.keys(manifest.dependencies), ...Object.keys(manifest.devDependencies)];
    expect(documented.sort()).toEqual(used.sort());
  });
});

describe('docs/errors.md', () => {
  const text = readFileSync(join(root, 'docs/errors.md'), 'utf8');

  it('holds every code', () => {
    expect(documentedCodes(text)).toEqual(codesOfSources());
  });
});

/** Error class → its codes, from the unions and the `code` members in the sources. */
function codesOfSources(): Readonly<Record<string, readonly string[]>> {
  const codes: Record<string, readonly string[]> = {};
  for (const file of sourceFiles(join(root, 'src'))) {
    const text = readFileSync(file, 'utf8').replaceAll(/\/\*[\s\S]*?\*\//g, '');
    for (const [, name = '', union = ''] of text.matchAll(/export type (\w+Error)Code =([^;]+);/g))
      codes[name] = [...union.matchAll(/'(\w+)'/g)].map(([, code = '']) => code).sort();
    for (const [, name = '', body = ''] of text.matchAll(/class (\w+) extends Error \{([\s\S]*?)\n\}/g)) {
      const own = /readonly code = '(\w+)'/.exec(body)?.[1];
      if (own !== undefined) codes[name] = [own];
    }
  }
  return sorted(codes);
}

/** Error class → the codes in the table below its heading; a heading may name several classes. */
function documentedCodes(text: string): Readonly<Record<string, readonly string[]>> {
  const codes: Record<string, readonly string[]> = {};
  for (const section of text.split(/^## /m).slice(1)) {
    const [heading = ''] = section.split('\n');
    const listed = [...section.matchAll(/^\| `([A-Z_]+)` \|/gm)].map(([, code = '']) => code).sort();
    for (const [, name = ''] of heading.matchAll(/`(\w+)`/g)) if (listed.length > 0) codes[name] = listed;
  }
  return sorted(codes);
}

function sorted(
  codes: Readonly<Record<string, readonly string[]>>,
): Readonly<Record<string, readonly string[]>> {
  return Object.fromEntries(Object.entries(codes).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function sourceFiles(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts') && !name.endsWith('.gen.ts'))
    .map((name) => join(folder, name));
}
