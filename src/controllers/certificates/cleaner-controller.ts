import { X509Certificate } from 'node:crypto';
import { certificatesigningrequests, type CertificateSigningRequest } from '../../api/certificates/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import { isStatus } from '../../machinery/status-error.ts';
import {
  recheck,
  type Controller,
  type ControllerContext,
  type Outcome,
  type RunningController,
} from '../../reconcile/controller.ts';
import { startReconciler } from '../../reconcile/reconciler.ts';

const hourMs = 3_600_000;
const decidedMs = hourMs;
const pendingMs = 24 * hourMs;

/** Removes certificate requests that nobody needs any more. */
export const csrCleanerController: Controller = {
  name: 'certificatesigningrequest-cleaner-controller',
  aliases: ['csrcleaner'],
  start,
};

/** Whether a request has been decided for an hour, has waited for a day, or its certificate has expired. */
export function isOutdated(request: Live<CertificateSigningRequest>, now: number): boolean {
  const { metadata, status } = request;
  const conditions = status?.conditions ?? [];
  const old = (type: string): boolean =>
    conditions.some(
      (condition) => condition.type === type && now - Date.parse(condition.lastUpdateTime ?? '') > decidedMs,
    );
  if (conditions.length === 0) return now - Date.parse(metadata.creationTimestamp) > pendingMs;
  if (old('Denied') || old('Failed')) return true;
  if (!status?.certificate) {
    return old('Approved') && now - Date.parse(metadata.creationTimestamp) > pendingMs;
  }
  return old('Approved') || hasExpired(status.certificate, now);
}

function hasExpired(encoded: string, now: number): boolean {
  const certificate = new X509Certificate(Buffer.from(encoded, 'base64'));
  return Date.parse(certificate.validTo) < now;
}

function start(context: ControllerContext): RunningController {
  const { client, informers, clock } = context;
  const cache = informers.for(certificatesigningrequests);
  const requests = client.for(certificatesigningrequests);
  const reconciler = startReconciler(context, {
    name: csrCleanerController.name,
    caches: [cache],
    reconcile,
  });
  reconciler.addAfter('all', hourMs);
  return reconciler;

  async function reconcile(): Promise<Outcome> {
    const outdated = cache.list().filter((request) => isOutdated(request, clock.now()));
    await Promise.all(outdated.map(remove));
    return recheck(hourMs);
  }

  async function remove({ metadata: { name, uid } }: Live<CertificateSigningRequest>): Promise<void> {
    try {
      await requests.delete({ name }, { preconditions: { uid } });
    } catch (error) {
      if (!isStatus(error, 'NotFound')) throw error;
    }
  }
}
