import type { Clock } from '../../base/clock.ts';
import type { RequestObserver, RequestRecord } from '../http/request-record.ts';
import { auditEvent } from './audit-event.ts';
import { auditDecision, type AuditDecision, type AuditPolicy, type Stage } from './policy.ts';

/** Takes finished lines, in order. Must not throw. */
export interface AuditSink {
  write(line: string): void;
}

export interface AuditLogOptions {
  readonly policy: AuditPolicy;
  readonly sink: AuditSink;
  readonly clock: Clock;
  /** Counts written events. */
  onEvent?(): void;
}

/** Writes what the policy wants to know of each request, a JSON line for each stage. */
export function createAuditLog({ policy, sink, clock, onEvent }: AuditLogOptions): RequestObserver {
  const decisions = new WeakMap<RequestRecord, AuditDecision>();
  return {
    received(record) {
      if (!record.info || !record.requester) return;
      const decision = auditDecision(policy, record.requester, record.info);
      if (decision.level === 'None') return;
      decisions.set(record, decision);
      write(record, decision, 'RequestReceived');
    },
    started(record) {
      const decision = decisions.get(record);
      if (decision) write(record, decision, 'ResponseStarted');
    },
    completed(record) {
      const decision = decisions.get(record) ?? refusedDecision(record);
      if (decision)
        write(
          record,
          decision,
          record.isFault ? 'Panic' : record.requester ? 'ResponseComplete' : 'ResponseStarted',
        );
    },
  };

  /** Who could not be established has asked for something all the same. */
  function refusedDecision(record: RequestRecord): AuditDecision | undefined {
    if (record.requester || record.response?.code !== 401) return undefined;
    const nobody = { name: '', groups: [] };
    const path = record.uri().split('?', 1)[0] ?? '/';
    const decision = auditDecision(policy, nobody, { isResource: false, verb: '', path });
    return decision.level === 'None' ? undefined : { ...decision, level: 'Metadata' };
  }

  function write(record: RequestRecord, decision: AuditDecision, stage: Stage): void {
    if (decision.omitStages.has(stage)) return;
    sink.write(`${JSON.stringify(auditEvent(record, decision, { stage, now: clock.now() }))}\n`);
    onEvent?.();
  }
}
