import { subjectaccessreviews, type SubjectAccessReview } from '../../api/authorization/v1.gen.ts';
import { certificatesigningrequests, type CertificateSigningRequest } from '../../api/certificates/v1.gen.ts';
import { nodes, type Node } from '../../api/core/v1.gen.ts';
import type { CertificateRequest } from '../../machinery/x509/certificate-request.ts';
import type { Live } from '../../machinery/object.ts';
import {
  recheck,
  settled,
  type Controller,
  type ControllerContext,
  type Outcome,
  type RunningController,
} from '../../reconcile/controller.ts';
import { startReconciler } from '../../reconcile/reconciler.ts';
import { kubeletClientProblem, kubeletServingProblem } from './kubelet-request.ts';
import { conditionOf, readRequest } from './request-state.ts';

const clientSigner = 'kubernetes.io/kube-apiserver-client-kubelet';
const youthMs = 60_000;
const nodeRecheckMs = 1_000;
const userPrefix = 'system:node:';
const servingSigner = 'kubernetes.io/kubelet-serving';

/**
 * Approves the client certificates of kubelets whose users may have them, and, which upstream leaves to people, their serving
 * certificates for their own addresses where `selfnodeserver` is granted to them.
 */
export const csrApprovingController: Controller = {
  name: 'certificatesigningrequest-approving-controller',
  aliases: ['csrapproving'],
  start,
};

interface Approval {
  /** The subresource of certificate requests that the user must be allowed to create. */
  readonly permission: 'nodeclient' | 'selfnodeclient' | 'selfnodeserver';
  readonly message: string;
}

/** What approves a request, the narrowest first; empty when it is nobody's here. */
export function planApprovals(request: CertificateSigningRequest, node?: Node): readonly Approval[] {
  const { signerName } = request.spec;
  if (request.status?.certificate || (signerName !== clientSigner && signerName !== servingSigner)) return [];
  if (conditionOf(request, 'Approved') ?? conditionOf(request, 'Denied')) return [];
  const wanted = readRequest(request);
  if (wanted && signerName === servingSigner)
    return servesItself(request, wanted, node)
      ? [
          {
            permission: 'selfnodeserver',
            message: 'Auto approving self kubelet server certificate after SubjectAccessReview.',
          },
        ]
      : [];
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

/** Whether a node asks for a certificate of its own names and addresses, as its Node object says them, and nothing else. */
function servesItself(
  request: CertificateSigningRequest,
  wanted: CertificateRequest,
  node: Node | undefined,
): boolean {
  if (kubeletServingProblem(wanted, request.spec.usages) !== undefined) return false;
  if (request.spec.username !== wanted.commonName) return false;
  const own = new Set((node?.status?.addresses ?? []).map(({ address }) => address));
  const addresses = wanted.ipAddresses.map((bytes) => (bytes.length === 4 ? [...bytes].join('.') : ''));
  return [...wanted.dnsNames, ...addresses].every((name) => own.has(name));
}

/** Whether somebody waits for a serving certificate. */
function isOpen(request: CertificateSigningRequest): boolean {
  return (
    request.spec.signerName === servingSigner &&
    !request.status?.certificate &&
    !(conditionOf(request, 'Approved') ?? conditionOf(request, 'Denied'))
  );
}

function start(context: ControllerContext): RunningController {
  const { client, clock, informers } = context;
  const cache = informers.for(certificatesigningrequests);
  const nodeCache = informers.for(nodes);
  const requests = client.for(certificatesigningrequests);
  const reviews = client.for(subjectaccessreviews);
  const reconciler = startReconciler(context, {
    name: csrApprovingController.name,
    caches: [cache, nodeCache],
    reconcile,
  });
  const wake = ({ metadata }: Live<CertificateSigningRequest>): void => reconciler.add(metadata.name);
  cache.addHandler({ onAdd: wake, onUpdate: wake });
  return reconciler;

  async function reconcile(name: string): Promise<Outcome> {
    const request = cache.get(undefined, name);
    const user = request?.spec.username ?? '';
    const node = user.startsWith(userPrefix)
      ? nodeCache.get(undefined, user.slice(userPrefix.length))
      : undefined;
    for (const approval of request ? planApprovals(request, node) : []) {
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
      return settled;
    }
    const young =
      request !== undefined && clock.now() - Date.parse(request.metadata.creationTimestamp) < youthMs;
    // The node's addresses may come after its request.
    return young && isOpen(request) ? recheck(nodeRecheckMs) : settled;
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
