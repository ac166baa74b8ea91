import type { UserInfo } from '../../api/resource.ts';
import { microTimestamp } from '../../base/clock.ts';
import type { Status } from '../../machinery/meta/v1.gen.ts';
import type { RequestRecord } from '../http/request-record.ts';
import type { AuditDecision, Stage } from './policy.ts';

/** One line of the audit log: `audit.k8s.io/v1 Event`, with the members in upstream's order. */
export function auditEvent(
  record: RequestRecord,
  decision: AuditDecision,
  { stage, now }: { readonly stage: Stage; readonly now: number },
): object {
  const { info, requester, impersonated, response } = record;
  const withRequest = decision.level === 'Request' || decision.level === 'RequestResponse';
  const ends = stage === 'ResponseComplete' || stage === 'Panic';
  const requestObject = withRequest && stage !== 'RequestReceived' ? record.requestObject?.() : undefined;
  const responseObject = decision.level === 'RequestResponse' && ends ? response?.object?.() : undefined;
  const shown = (object: unknown): unknown =>
    decision.omitManagedFields ? withoutManagedFields(object) : object;
  const annotations = annotationsOf(record, stage);
  return {
    kind: 'Event',
    apiVersion: 'audit.k8s.io/v1',
    level: decision.level,
    auditID: record.auditId,
    stage,
    requestURI: record.uri(),
    verb: info?.verb ?? '',
    user: userOf(requester ?? { name: '', groups: [] }),
    ...(impersonated ? { impersonatedUser: userOf(impersonated.user) } : {}),
    ...(impersonated?.constraint
      ? { authenticationMetadata: { impersonationConstraint: impersonated.constraint } }
      : {}),
    ...(record.sourceIps.length > 0 ? { sourceIPs: record.sourceIps } : {}),
    ...(record.userAgent === '' ? {} : { userAgent: record.userAgent }),
    ...(info?.isResource ? { objectRef: objectRef(record, info) } : {}),
    ...(stage === 'RequestReceived' ? {} : { responseStatus: responseStatus(record) }),
    ...(requestObject === undefined ? {} : { requestObject: shown(requestObject) }),
    ...(responseObject === undefined ? {} : { responseObject: shown(responseObject) }),
    requestReceivedTimestamp: microTimestamp(record.receivedAt),
    stageTimestamp: microTimestamp(now),
    ...(Object.keys(annotations).length > 0 ? { annotations } : {}),
  };
}

function userOf({ name, uid, groups, extra }: UserInfo): object {
  return {
    ...(name === '' ? {} : { username: name }),
    ...(uid ? { uid } : {}),
    ...(groups.length > 0 ? { groups } : {}),
    ...(extra && Object.keys(extra).length > 0 ? { extra } : {}),
  };
}

function objectRef(
  record: RequestRecord,
  {
    group,
    version,
    resource,
    subresource,
    namespace,
    name,
  }: Extract<RequestRecord['info'], { isResource: true }>,
): object {
  const metadata = metadataOf(record);
  return {
    resource,
    ...(namespace ? { namespace } : {}),
    ...((name ?? metadata.name) ? { name: name ?? metadata.name } : {}),
    ...(metadata.uid ? { uid: metadata.uid } : {}),
    ...(group === '' ? {} : { apiGroup: group }),
    apiVersion: version,
    ...(metadata.resourceVersion ? { resourceVersion: metadata.resourceVersion } : {}),
    ...(subresource === undefined ? {} : { subresource }),
  };
}

/** What the sent object says of itself; a policy at level Metadata does not look. */
function metadataOf({ info, requestObject }: RequestRecord): Record<string, string | undefined> {
  if (!info?.isResource || (info.verb !== 'create' && info.verb !== 'update')) return {};
  const object = requestObject?.();
  return (object as { readonly metadata?: Record<string, string> } | undefined)?.metadata ?? {};
}

function responseStatus({ response, success, isFault }: RequestRecord): object {
  const { code = 0 } = response ?? {};
  const status: Partial<Status> | undefined = response?.status ?? success;
  if (!status) return { metadata: {}, ...(isFault ? { status: 'Failure' } : {}), code };
  const { status: outcome, message, reason, details } = status;
  return {
    metadata: {},
    status: outcome,
    ...(message ? { message } : {}),
    ...(reason ? { reason } : {}),
    ...(details ? { details } : {}),
    code,
  };
}

function annotationsOf({ annotations, decision }: RequestRecord, stage: Stage): Record<string, string> {
  const shown = Object.fromEntries([...annotations].sort(([a], [b]) => (a < b ? -1 : 1)));
  if (stage === 'RequestReceived' || !decision) return shown;
  return {
    ...shown,
    'authorization.k8s.io/decision': decision.allowed ? 'allow' : 'forbid',
    'authorization.k8s.io/reason': decision.reason,
  };
}

function withoutManagedFields(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const object = value as {
    readonly metadata?: Record<string, unknown>;
    readonly items?: readonly unknown[];
  };
  const { managedFields: _fields, ...metadata } = object.metadata ?? {};
  return {
    ...object,
    ...(object.metadata ? { metadata } : {}),
    ...(object.items ? { items: object.items.map(withoutManagedFields) } : {}),
  };
}
