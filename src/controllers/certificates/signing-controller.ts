import { certificatesigningrequests, type CertificateSigningRequest } from '../../api/certificates/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import type { CertificateRequest } from '../../machinery/x509/certificate-request.ts';
import { type Authority, issueCertificate } from '../../machinery/x509/issue-certificate.ts';
import {
  settled,
  type Controller,
  type ControllerContext,
  type Outcome,
  type RunningController,
} from '../../reconcile/controller.ts';
import { startReconciler } from '../../reconcile/reconciler.ts';
import { kubeletClientProblem, kubeletServingProblem } from './kubelet-request.ts';
import { conditionOf, readRequest } from './request-state.ts';

const minuteMs = 60_000;
const longestMs = 365 * 24 * 60 * minuteMs;
const shortestMs = 10 * minuteMs;
const backdateMs = 5 * minuteMs;

type Usages = CertificateSigningRequest['spec']['usages'];
type Check = (request: CertificateRequest, usages: Usages) => string | undefined;

/** Signers of this controller, and what each wants of a request. */
const signers: ReadonlyMap<string, Check> = new Map<string, Check>([
  ['kubernetes.io/kube-apiserver-client', (_request, usages) => clientProblem(usages)],
  ['kubernetes.io/kube-apiserver-client-kubelet', kubeletClientProblem],
  ['kubernetes.io/kubelet-serving', kubeletServingProblem],
  ['kubernetes.io/legacy-unknown', () => undefined],
]);

function clientProblem(usages: Usages): string | undefined {
  const allowed = ['client auth', 'digital signature', 'key encipherment'];
  const given: readonly string[] = usages ?? [];
  if (given.includes('client auth') && given.every((usage) => allowed.includes(usage))) return undefined;
  return `invalid usages for client certificate: [${given.join(' ')}]`;
}

/** What to do about a request. */
export type SigningPlan =
  | { readonly action: 'none' }
  | { readonly action: 'fail'; readonly message: string }
  | { readonly action: 'sign'; readonly request: CertificateRequest; readonly durationMs: number };

/** Decides about one request: only approved ones of these signers are signed, once. */
export function planSigning(request: CertificateSigningRequest): SigningPlan {
  const check = signers.get(request.spec.signerName);
  if (!check || request.status?.certificate) return { action: 'none' };
  if (!conditionOf(request, 'Approved') || conditionOf(request, 'Denied') || conditionOf(request, 'Failed')) {
    return { action: 'none' };
  }
  const wanted = readRequest(request);
  if (!wanted) return { action: 'none' };
  const problem = check(wanted, request.spec.usages);
  if (problem !== undefined) return { action: 'fail', message: problem };
  const seconds = request.spec.expirationSeconds;
  const durationMs =
    seconds === undefined ? longestMs : Math.min(longestMs, Math.max(shortestMs, seconds * 1000));
  return { action: 'sign', request: wanted, durationMs };
}

/** Signs approved requests with the cluster's authority, for a year or as long as they ask for. */
export function csrSigningController(authority: Authority): Controller {
  return {
    name: 'certificatesigningrequest-signing-controller',
    aliases: ['csrsigning'],
    start: (context) => start(context, authority),
  };
}

function start(context: ControllerContext, authority: Authority): RunningController {
  const { client, informers, clock } = context;
  const cache = informers.for(certificatesigningrequests);
  const requests = client.for(certificatesigningrequests);
  const reconciler = startReconciler(context, {
    name: 'certificatesigningrequest-signing-controller',
    caches: [cache],
    reconcile,
  });
  const wake = ({ metadata }: Live<CertificateSigningRequest>): void => reconciler.add(metadata.name);
  cache.addHandler({ onAdd: wake, onUpdate: wake });
  return reconciler;

  async function reconcile(name: string): Promise<Outcome> {
    const request = cache.get(undefined, name);
    const plan = request ? planSigning(request) : undefined;
    if (!request || !plan || plan.action === 'none') return settled;
    await requests.updateStatus({ ...request, status: nextStatus(request, plan) });
    return settled;
  }

  function nextStatus(
    { spec, status }: CertificateSigningRequest,
    plan: Exclude<SigningPlan, { readonly action: 'none' }>,
  ): NonNullable<CertificateSigningRequest['status']> {
    if (plan.action === 'fail') {
      const failed = {
        type: 'Failed',
        status: 'True',
        reason: 'SignerValidationFailure',
        message: plan.message,
      };
      return { ...status, conditions: [...(status?.conditions ?? []), failed] };
    }
    const now = clock.now();
    const pem = issueCertificate(authority, {
      request: plan.request,
      usages: spec.usages ?? [],
      notBefore: now - backdateMs,
      notAfter: now + plan.durationMs,
    });
    return { ...status, certificate: Buffer.from(pem).toString('base64') };
  }
}
