import type { UserInfo } from '../../api/resource.ts';
import type { Status } from '../../machinery/meta/v1.gen.ts';
import type { StatusError } from '../../machinery/status-error.ts';
import type { Impersonated } from '../auth/impersonation.ts';
import type { Decision } from '../auth/authorizer.ts';
import type { RequestInfo } from './request-info.ts';

/** What was answered, as far as it is known. */
export interface ResponseRecord {
  readonly code: number;
  /** Bytes of the body; 0 for streams. */
  readonly size: number;
  /** The `Status` of a failure. */
  readonly status?: StatusError['status'];
  /** The body as an object; decoded only when somebody asks. */
  object?(): unknown;
}

/** Everything that is known of one request while it is served. Filled in as it becomes known. */
export interface RequestRecord {
  /** Unique, or what the client gave in `Audit-Id`. */
  readonly auditId: string;
  /** Milliseconds since the epoch. */
  readonly receivedAt: number;
  /** On the monotonic clock. */
  readonly startedAt: number;
  uri(): string;
  readonly userAgent: string;
  readonly sourceIps: readonly string[];
  readonly annotations: Map<string, string>;
  info?: RequestInfo;
  /** Who sends it. */
  requester?: UserInfo;
  impersonated?: Impersonated | undefined;
  decision?: Decision;
  params?: Readonly<Record<string, string>>;
  /** Whether the resource lives in namespaces; undefined when it is not served. */
  namespaced?: boolean;
  isApply?: boolean;
  /** Streams: watches and connections. */
  isLongRunning?: boolean;
  requestObject?(): unknown;
  /** Bytes of the body. */
  requestSize?: number;
  response?: ResponseRecord;
  /** The `Status` of what was done, where the answer is no object: of a deletion, of a binding. */
  success?: Status;
  /** The server behind this one showed a certificate that is not good. */
  isUntrustedBackend?: boolean;
  /** A fault of the server itself. */
  isFault?: boolean;
  /** The version that it is about is deprecated; the release without it, like `1.25`, or nothing. */
  deprecation?: { readonly removedRelease: string };
  /** What its observers have heard of last. */
  phase?: 'received' | 'started' | 'completed';
}

/** Hears how requests go: metrics, the audit log. Must not throw. */
export interface RequestObserver {
  /** Known is who asks for what; it is not yet decided whether that is allowed. */
  received?(record: RequestRecord): void;
  /** A stream has begun. */
  started?(record: RequestRecord): void;
  /** Everything is sent. Also of requests that were never `received`: their sender could not be established. */
  completed?(record: RequestRecord): void;
}

/** Several observers as one. Each hears of an end once. */
export function observeAll(observers: readonly RequestObserver[]): Required<RequestObserver> {
  return {
    received(record) {
      for (const observer of observers) observer.received?.(record);
      record.phase = 'received';
    },
    started(record) {
      for (const observer of observers) observer.started?.(record);
      record.phase = 'started';
    },
    completed(record) {
      if (record.phase === 'completed') return;
      for (const observer of observers) observer.completed?.(record);
      record.phase = 'completed';
    },
  };
}
