import { readdirSync, readFileSync } from 'node:fs';
import type { Clock } from '../../base/clock.ts';
import type { MetricRegistry } from '../../base/metrics/registry.ts';
import { requiredVersionFields } from '../version-fields.ts';

export interface ProcessMetricsOptions {
  readonly clock: Clock;
  /** The document of `/version`. */
  readonly version: object;
}

/** What the process uses, read when somebody asks. Where there is no /proc some are absent. */
export function processMetrics(registry: MetricRegistry, { clock, version }: ProcessMetricsOptions): void {
  const said = new Map<string, string>();
  for (const [key, value] of Object.entries(version)) if (typeof value === 'string') said.set(key, value);
  registry
    .gauge({
      name: 'kubernetes_build_info',
      help: '[ALPHA] What was built, as /version says it.',
      labels: requiredVersionFields.map((key) =>
        key.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      ),
    })
    .labels(...requiredVersionFields.map((key) => said.get(key) ?? ''))
    .set(1);
  const startedAt = clock.now() / 1000 - process.uptime();
  const reading = (
    type: 'counter' | 'gauge',
    name: string,
    { help, read }: { readonly help: string; read(): number | undefined },
  ): void =>
    registry.reading(type, { name, help: `[STABLE] ${help}` }, () => {
      const value = read();
      return value === undefined ? [] : [[[], value]];
    });
  reading('counter', 'process_cpu_seconds_total', {
    help: 'Processor time that was used, in seconds.',
    read() {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1e6;
    },
  });
  reading('gauge', 'process_resident_memory_bytes', {
    help: 'Memory that is resident, in bytes.',
    read: () => process.memoryUsage.rss(),
  });
  reading('gauge', 'process_start_time_seconds', {
    help: 'When the process began, in seconds since the epoch.',
    read: () => startedAt,
  });
  reading('gauge', 'process_open_fds', {
    help: 'File descriptors that are open.',
    read: () => linuxOnly(() => readdirSync('/proc/self/fd').length),
  });
  reading('gauge', 'process_max_fds', {
    help: 'File descriptors that may be open.',
    read: () => linuxOnly(() => numberIn('/proc/self/limits', /^Max open files\s+(\d+)/m)),
  });
  reading('gauge', 'process_virtual_memory_bytes', {
    help: 'Addresses in use, in bytes.',
    read: () => linuxOnly(() => numberIn('/proc/self/status', /^VmSize:\s+(\d+)/m) * 1024),
  });
  reading('gauge', 'process_virtual_memory_max_bytes', {
    help: 'Addresses that may be in use, in bytes.',
    read: () => linuxOnly(addressLimit),
  });
  reading('counter', 'process_network_receive_bytes_total', {
    help: 'Bytes that came in over the network.',
    read: () => linuxOnly(() => networkBytes('InOctets')),
  });
  reading('counter', 'process_network_transmit_bytes_total', {
    help: 'Bytes that went out over the network.',
    read: () => linuxOnly(() => networkBytes('OutOctets')),
  });
}

/** Bytes that the machine's network has carried, as client_golang reads them. */
function networkBytes(direction: 'InOctets' | 'OutOctets'): number {
  const [names = '', values = ''] =
    /^IpExt: In.*\nIpExt: .*/m.exec(readFileSync('/proc/self/net/netstat', 'utf8'))?.[0].split('\n') ?? [];
  return Number(values.split(' ')[names.split(' ').indexOf(direction)] ?? 0);
}

/** The highest address space allowed; all of 64 bits when nothing limits it. */
function addressLimit(): number {
  const limit = /^Max address space\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
  return limit === undefined || limit === 'unlimited' ? 2 ** 64 : Number(limit);
}

function numberIn(file: string, pattern: RegExp): number {
  return Number(pattern.exec(readFileSync(file, 'utf8'))?.[1] ?? 0);
}

function linuxOnly(read: () => number): number | undefined {
  return process.platform === 'linux' ? read() : undefined;
}
