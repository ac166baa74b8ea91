import { randomUUID } from 'node:crypto';
import type { Clock } from '../../base/clock.ts';
import type { KubeObject } from '../../machinery/object.ts';
import type { StatusError } from '../../machinery/status-error.ts';
import type { Answer } from '../registry/answer.ts';
import type { HttpRequest, Reply } from './exchange.ts';
import type { RequestRecord } from './request-record.ts';

const auditIdLimit = 64;

/** Begins the record of a request that came over HTTP. */
export function recordRequest(request: HttpRequest, clock: Clock): RequestRecord {
  const { headers } = request;
  const given = [headers['audit-id']].flat()[0];
  return {
    auditId: given && given.length <= auditIdLimit ? given : randomUUID(),
    receivedAt: clock.now(),
    startedAt: clock.monotonic(),
    uri: () => request.url ?? '/',
    userAgent: headers['user-agent'] ?? '',
    sourceIps: sourcesOf(request),
    annotations: new Map(),
  };
}

/** The addresses that proxies have noted, then the peer's. */
function sourcesOf({ headers, socket }: HttpRequest): readonly string[] {
  const peer = (socket.remoteAddress ?? '').replace(/^::ffff:/, '');
  if (headers['x-forwarded-for'] === undefined && headers['x-real-ip'] === undefined)
    return peer === '' ? [] : [peer];
  const forwarded = [headers['x-forwarded-for']].flat().join(',');
  const real = [headers['x-real-ip']].flat()[0];
  const noted = forwarded === '' ? (real === undefined ? [] : [real]) : forwarded.split(',');
  return [...new Set([...noted.map((address) => address.trim()), peer])].filter((address) => address !== '');
}

/** Notes what is sent. */
export function recordReply(record: RequestRecord, reply: Reply, error?: StatusError): void {
  const { code, body, contentType } = reply;
  record.response = {
    code,
    size: body.length,
    ...(error ? { status: error.status } : {}),
    ...(contentType.startsWith('application/json')
      ? { object: (): unknown => JSON.parse(body.toString()) as unknown }
      : {}),
  };
}

/** Notes the `Status` that an answer is. */
export function noteSuccess(record: RequestRecord, answer: Answer): void {
  if (answer.type === 'list' || answer.served) return;
  const object = answer.object() as Partial<KubeObject>;
  if (object.kind === 'Status') record.success = object;
}

/** Adds an annotation for the audit log; of a key the first value counts. */
export function annotate({ annotations }: RequestRecord, key: string, value: string): void {
  if (!annotations.has(key)) annotations.set(key, value);
}

/** Notes that a request is about a version that will go, or has gone, as the warning of its answer says. */
export function recordDeprecation(record: RequestRecord, warning: string): void {
  const removedRelease = /unavailable in v(\d+\.\d+)\+/.exec(warning)?.[1] ?? '';
  record.deprecation = { removedRelease };
  annotate(record, 'k8s.io/deprecated', 'true');
  if (removedRelease !== '') annotate(record, 'k8s.io/removed-release', removedRelease);
}
