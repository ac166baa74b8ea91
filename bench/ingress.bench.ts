import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { createWorkerIngressProxy } from '../src/network/ingress/proxy/worker-ingress-proxy.ts';
import type { Report } from './bench-row.ts';

export const name = 'ingress: requests through the proxy';

const seconds = 5;
const ticksPerSecond = 100;
const connections = 32;

/** Needs Debian's nginx and wrk: nginx with one worker process as a proxy, and another nginx as the backend of both. */
export async function run(report: Report): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'kanoe-ingress-'));
  const [backendPort, nginxPort] = [await freePort(), await freePort()];
  const nginx = await startNginx(folder, { backendPort, nginxPort });
  const proxy = createWorkerIngressProxy({
    workerFile: resolve('dist/bundle/ingress-worker.cjs'),
    onCrash(error) {
      throw error;
    },
  });
  try {
    await proxy.start({
      metrics: { address: '127.0.0.1', port: 0 },
      accessLog: { file: join(folder, 'kanoe.log'), maxBytes: 1e8, maxBackups: 0 },
    });
    await proxy.updateUpstreams({
      set: [{ name: 'web', protocol: 'http1', endpoints: [{ ip: '127.0.0.1', port: backendPort }] }],
      removed: [],
    });
    const route = {
      name: 'bench',
      host: '',
      match: {},
      filters: {},
      backends: [{ upstream: 'web', weight: 1 }],
    };
    const ports = await proxy.configure({
      listeners: [
        { name: 'main', address: '127.0.0.1', ports: [0], scopes: [{ host: '', routes: [route] }] },
      ],
    });
    const main = ports['main'];
    if (!main || !('port' in main)) throw new Error('the proxy has no port');
    for (const [what, path] of [
      ['answers of 2 bytes', '/small'],
      ['answers of 64 KB', '/large'],
    ] as const) {
      await load(main.port, path, 1);
      const nginxWork = await nginx.processorSeconds();
      const theirs = await load(nginxPort, path, seconds);
      const nginxWorked = await nginx.processorSeconds();
      const ownWork = process.cpuUsage();
      const ours = await load(main.port, path, seconds);
      const worked = process.cpuUsage(ownWork);
      report({ what, value: ours.rate, unit: '/s', limit: theirs.rate });
      report({ what: `${what}, p99`, value: ours.p99, unit: 'ms', limit: theirs.p99 });
      report({
        what: `${what}, processor time of one`,
        value: (worked.user + worked.system) / ours.requests,
        unit: 'µs',
        limit: ((nginxWorked - nginxWork) * 1e6) / theirs.requests,
      });
    }
  } finally {
    await proxy.close();
    nginx.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function startNginx(
  folder: string,
  { backendPort, nginxPort }: { readonly backendPort: number; readonly nginxPort: number },
): Promise<{ stop(): void; processorSeconds(): Promise<number> }> {
  await writeFile(join(folder, 'large'), 'x'.repeat(64 * 1024));
  const common = (role: string): string => `worker_processes 1; daemon off; pid ${folder}/${role}.pid;
error_log ${folder}/error.log;
events { worker_connections 1024; }
http {
  client_body_temp_path ${folder}; proxy_temp_path ${folder}; fastcgi_temp_path ${folder};
  uwsgi_temp_path ${folder}; scgi_temp_path ${folder}; access_log off; keepalive_requests 1000000;`;
  const backend = `${common('backend')}
  server { listen 127.0.0.1:${backendPort}; location = /small { return 200 ok; } location = /large { root ${folder}; } }
}`;
  const proxy = `${common('proxy')}
  upstream web { server 127.0.0.1:${backendPort}; keepalive 64; keepalive_requests 1000000; }
  server {
    listen 127.0.0.1:${nginxPort}; access_log ${folder}/access.log;
    location / {
      proxy_pass http://web; proxy_http_version 1.1;
      proxy_set_header Connection ""; proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; proxy_set_header X-Forwarded-Proto $scheme;
    }
  }
}`;
  const children: ChildProcess[] = [];
  for (const [role, configuration] of Object.entries({ backend, proxy })) {
    const file = join(folder, `${role}.conf`);
    await writeFile(file, configuration);
    children.push(spawn('nginx', ['-c', file], { stdio: 'inherit' }));
  }
  await delay(300);
  const master = children.at(-1)?.pid;
  const { stdout: worker } = await promisify(execFile)('pgrep', ['-P', String(master)]);
  return {
    async processorSeconds() {
      const [, fields = ''] = (await readFile(`/proc/${worker.trim()}/stat`, 'utf8')).split(') ');
      const [user, system] = fields.split(' ').slice(11, 13);
      return (Number(user) + Number(system)) / ticksPerSecond;
    },
    stop() {
      for (const child of children) child.kill();
    },
  };
}

async function load(
  port: number,
  path: string,
  forSeconds: number,
): Promise<{ readonly rate: number; readonly requests: number; readonly p99: number }> {
  const { stdout } = await promisify(execFile)('wrk', [
    '-t1',
    `-c${connections}`,
    `-d${forSeconds}s`,
    '--latency',
    `http://127.0.0.1:${port}${path}`,
  ]);
  const rate = Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1]);
  const [, amount, unit] = /99%\s+([\d.]+)(us|ms|s)/.exec(stdout) ?? [];
  const scale = unit === 'us' ? 0.001 : unit === 's' ? 1000 : 1;
  if (/Non-2xx/.test(stdout)) throw new Error(stdout);
  const requests = Number(/(\d+) requests in/.exec(stdout)?.[1]);
  return { rate, requests, p99: Number(amount) * scale };
}

function freePort(): Promise<number> {
  return new Promise((done) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => done(port));
    });
  });
}
