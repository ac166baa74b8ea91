import { subjectaccessreviews, type SubjectAccessReview } from '../../api/authorization/v1.gen.ts';
import { certificatesigningrequests, type CertificateSigningRequest } from '../../api/certificates/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import {
  settled,
  type Controller,
  type ControllerContext,
  type Outcome,
  type RunningController,
} from '../../reconcile/controller.ts';
import { startReconciler } from '../../reconcile/reconciler.ts';
import { kubeletClientProblem } from './kubelet-request.ts';
import { conditionOf, readRequest } from './request-state.ts';

const signer = 'kubernetes.io/kube-apiserver-client-kubelet';

/** Approves the client certificates of kubelets whose users may have them. */
export const csrApprovingController: Controller = {
  name: 'certificatesigningrequest-approving-controller',
  aliases: ['csrapproving'],
  start,
};

interface Approval {
  /** The subresource of certificate requests that the user must be allowed to create. */
  readonly permission: 'nodeclient' | 'selfnodeclient';
  readonly message: string;
}

/** What approves a request, the narrowest first; empty when it is nobody's here. */
export function planApprovals(request: CertificateSigningRequest): readonly Approval[] {
  if (request.spec.signerName !== signer || request.status?.certificate) return [];
  if (conditionOf(request, 'Approved') ?? conditionOf(request, 'Denied')) return [];
  const wanted = readRequest(request);
  if (!wanted || kubeletClientProblem(wanted, request.spec.usages) !== undefined) return [];
  const any: Approval = {
    permission: 'nodeclient',
    message: 'Auto approving kubelet client certificate after SubjectAccessReview.',
  };
  if (request.spec.username !== wanted.commonName) return [any];
  return [
    {
      permission: 'selfnodeclient',
      message: 'Auto approving self kubelet client certificate after SubjectAccessReview.',
    },
    any,
  ];
}

function start(context: ControllerContext): RunningController {
  const { client, informers } = context;
  const cache = informers.for(certificatesigningrequests);
  const requests = client.for(certificatesigningrequests);
  const reviews = client.for(subjectaccessreviews);
  const reconciler = startReconciler(context, {
    name: csrApprovingController.name,
    caches: [cache],
    reconcile,
  });
  const wake = ({ metadata }: Live<CertificateSigningRequest>): void => reconciler.add(metadata.name);
  cache.addHandler({ onAdd: wake, onUpdate: wake });
  return reconciler;

  async function reconcile(name: string): Promise<Outcome> {
    const request = cache.get(undefined, name);
    for (const approval of request ? planApprovals(request) : []) {
      if (!request || !(await isAllowed(request, approval))) continue;
      const approved = {
        type: 'Approved',
        status: 'True',
        reason: 'AutoApproved',
        message: approval.message,
      };
      await requests.patch(
        { name },
        {
          metadata: { resourceVersion: request.metadata.resourceVersion },
          status: { conditions: [...(request.status?.conditions ?? []), approved] },
        },
        { type: 'application/merge-patch+json', subresource: 'approval' },
      );
      break;
    }
    return settled;
  }

  async function isAllowed({ spec }: CertificateSigningRequest, { permission }: Approval): Promise<boolean> {
    const review: SubjectAccessReview = await reviews.create({
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SubjectAccessReview',
      metadata: {},
      spec: {
        user: spec.username ?? '',
        ...(spec.uid ? { uid: spec.uid } : {}),
        groups: [...(spec.groups ?? [])],
        resourceAttributes: {
          group: 'certificates.k8s.io',
          resource: 'certificatesigningrequests',
          verb: 'create',
          subresource: permission,
          version: '*',
        },
      },
    });
    return review.status?.allowed ?? false;
  }
}
