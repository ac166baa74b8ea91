import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable, Writable } from 'node:stream';
import { builtinResources } from '../../api/catalog.ts';
import { systemClock } from '../../base/clock.ts';
import type { Client } from '../../client/client.ts';
import { createClient } from '../../client/create-client.ts';
import { emptyKubeconfig, mergeContext } from '../../client/kubeconfig.ts';
import { writeKubeconfig } from '../../client/kubeconfig-file.ts';
import { ensurePki } from '../../cluster/pki.ts';
import { kubernetesSchema } from '../../machinery/schema/table.ts';
import { createApiServer } from '../../server/api-server.ts';
import { createMemoryStore } from '../../storage/memory/memory-store.ts';
import type { CliContext } from '../cli-context.ts';
import { runProgram } from '../program.ts';

/** What one command line did. */
export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly stdin?: string;
  readonly signal?: AbortSignal;
  /** Hears everything written to standard output, as it is written. */
  readonly onOutput?: (text: string) => void;
}

/** An API server over a store in memory, listening on loopback, and the command line that talks to it. */
export interface TestCluster {
  /** As the administrator, in this process. */
  readonly client: Client;
  /** A folder of its own: the working directory of commands. */
  readonly directory: string;
  /** Runs `kanoe …`; words are separated by spaces, or given one by one. */
  run(command: string | readonly string[], options?: RunOptions): Promise<Outcome>;
  close(): Promise<void>;
}

const administrator = { name: 'kubernetes-admin', groups: ['system:masters', 'system:authenticated'] };

export async function startTestCluster(): Promise<TestCluster> {
  const directory = await mkdtemp(join(tmpdir(), 'kanoe-cli-'));
  const pki = await ensurePki(
    join(directory, 'pki'),
    { dns: ['localhost'], ips: ['127.0.0.1'] },
    systemClock,
  );
  const server = await createApiServer({
    store: createMemoryStore({ clock: systemClock }),
    schema: kubernetesSchema(),
    clock: systemClock,
    resources: (needs) => builtinResources({ ...needs, serviceCidr: '10.96.0.0/16' }),
    tls: { ...pki.server, clientCa: pki.ca.cert },
    serviceAccount: {
      issuer: 'https://kubernetes.default.svc.cluster.local',
      signingKey: pki.serviceAccountKey,
    },
    version: { gitVersion: 'v1.36.2' },
    onFault(error) {
      throw error;
    },
  });
  const { port } = await server.listen({ host: '127.0.0.1', port: 0 });
  const kubeconfig = join(directory, 'kubeconfig');
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  await writeKubeconfig(
    kubeconfig,
    mergeContext(emptyKubeconfig, {
      name: 'test',
      cluster: {
        server: `https://127.0.0.1:${port}`,
        'certificate-authority-data': base64(pki.ca.cert),
      },
      user: {
        'client-certificate-data': base64(pki.admin.cert),
        'client-key-data': base64(pki.admin.key),
      },
    }),
  );
  return {
    client: createClient(server.transport(administrator)),
    directory,
    async run(command, options = {}) {
      const words = typeof command === 'string' ? command.split(' ') : command;
      const [verb = '', ...rest] = words;
      const stdout = captured(options.onOutput);
      const stderr = captured();
      const context: CliContext = {
        ...testContext(directory),
        stdin: Readable.from(options.stdin === undefined ? [] : [options.stdin]),
        stdout: stdout.stream,
        stderr: stderr.stream,
        ...(options.signal && { signal: options.signal }),
      };
      const code = await runProgram(context, [verb, '--kubeconfig', kubeconfig, ...rest]);
      return { code, stdout: stdout.text(), stderr: stderr.text() };
    },
    async close() {
      await server.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** A context of which nothing reaches the machine: no environment, no terminal, a home of its own. */
export function testContext(directory: string): CliContext {
  return {
    argv: [],
    stdin: new PassThrough(),
    stdout: captured().stream,
    stderr: captured().stream,
    env: {},
    cwd: directory,
    clock: systemClock,
    home: { directory: join(directory, 'home'), kubeconfig: join(directory, 'home', 'config') },
    colour: false,
    signal: new AbortController().signal,
    startedAt: systemClock.now(),
    program: {
      main: '',
      unpack: '',
      networkWorker: '',
      ingressWorker: '',
      rulesWorker: '',
      version: '0.0.0',
    },
  };
}

function captured(onOutput?: (text: string) => void): { readonly stream: Writable; text(): string } {
  let written = '';
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      written += chunk.toString('utf8');
      onOutput?.(chunk.toString('utf8'));
      done();
    },
  });
  return { stream, text: () => written };
}
