import { readFile } from 'node:fs/promises';
import type { Clock } from '../base/clock.ts';
import { YamlError } from '../machinery/yaml/yaml-error.ts';
import { createAuditLog } from '../server/audit/audit-log.ts';
import { openLogFile, type LogFile } from '../server/audit/log-file.ts';
import { AuditPolicyError, parseAuditPolicy } from '../server/audit/parse-policy.ts';
import type { AuditPolicy } from '../server/audit/policy.ts';
import type { RequestObserver } from '../server/http/request-record.ts';
import { ClusterError } from './cluster-error.ts';
import type { AuditOptions } from './plan-cluster.ts';
import type { ClusterReport } from './start-cluster.ts';

/** The audit log of a running cluster. */
export interface OpenAuditLog {
  /** Calls `onEvent` for each event that is written. */
  observer(onEvent: () => void): RequestObserver;
  close(): Promise<void>;
}

/** Opens the audit log that a person asked for. Throws `INVALID_OPTION` when the policy cannot be used. */
export async function openAuditLog(
  options: AuditOptions,
  { clock, report }: { readonly clock: Clock; readonly report: ClusterReport },
): Promise<OpenAuditLog> {
  const policy = await readPolicy(options.policyFile);
  const sink: LogFile =
    options.logPath === '-'
      ? { write: (line) => report.line(line.trimEnd()), close: () => Promise.resolve() }
      : openLogFile({
          path: options.logPath,
          maxBytes: options.maxBytes,
          maxBackups: options.maxBackups,
          maxAgeDays: options.maxAgeDays,
          clock,
          onError: (error) =>
            report.warn(`audit log: ${error instanceof Error ? error.message : String(error)}`),
        });
  return {
    observer: (onEvent) => createAuditLog({ policy, sink, clock, onEvent }),
    close: () => sink.close(),
  };
}

async function readPolicy(file: string): Promise<AuditPolicy> {
  const unusable = (detail: string, cause: unknown): ClusterError =>
    new ClusterError('INVALID_OPTION', `--audit-policy-file ${file}: ${detail}`, { cause });
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw unusable(error.message, error);
  });
  try {
    return parseAuditPolicy(text);
  } catch (error) {
    if (error instanceof AuditPolicyError || error instanceof YamlError) throw unusable(error.message, error);
    throw error;
  }
}
