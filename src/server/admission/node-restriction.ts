import { certificatesigningrequests, type CertificateSigningRequest } from '../../api/certificates/v1.gen.ts';
import { leases } from '../../api/coordination/v1.gen.ts';
import {
  nodes,
  persistentvolumeclaims,
  pods,
  serviceaccounts,
  type Node,
  type PersistentVolumeClaim,
} from '../../api/core/v1.gen.ts';
import { resourceslices, type ResourceSlice } from '../../api/resource/v1.gen.ts';
import { csinodes } from '../../api/storage/v1.gen.ts';
import type { KubeObject } from '../../machinery/object.ts';
import { jsonEqual } from '../../machinery/patch/json-value.ts';
import {
  CertificateRequestError,
  parseCertificateRequest,
} from '../../machinery/x509/certificate-request.ts';
import type { Authorizer } from '../auth/authorizer.ts';
import { nodeName } from '../auth/node-identity.ts';
import type { AdmissionPlugin, AdmissionRequest } from './admission-chain.ts';
import type { Lookup } from './lookup.ts';
import { isKubeletLabel } from './kubelet-labels.ts';
import { podRefusal } from './node-restriction-pods.ts';
import { tokenRefusal } from './node-restriction-tokens.ts';
import { newRefusal } from './refuse.ts';

const leaseNamespace = 'kube-node-lease';
const nodeSigners = ['kubernetes.io/kubelet-serving', 'kubernetes.io/kube-apiserver-client-kubelet'];

/** What the rules need of the server. */
export interface NodeRestrictionParts {
  readonly lookup: Lookup;
  readonly authorizer: Authorizer;
}

/** Says why a node may not do what it asks; undefined when it may. */
type Rule = (node: string, request: AdmissionRequest, parts: NodeRestrictionParts) => string | undefined;

const rules: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  [key(nodes), nodeRefusal],
  [key(pods), (node, request, { lookup }) => podRefusal(node, request, lookup)],
  [key(persistentvolumeclaims), claimRefusal],
  [key(leases), leaseRefusal],
  [key(serviceaccounts), tokenRefusal],
  [key(csinodes), csiNodeRefusal],
  [key(resourceslices), resourceSliceRefusal],
  [key(certificatesigningrequests), signingRefusal],
]);

/**
 * A node changes only itself, its lease, its CSINode and the pods on it, and gets tokens and certificates only for those pods and
 * for itself (upstream's NodeRestriction).
 */
export function nodeRestriction(parts: NodeRestrictionParts): AdmissionPlugin {
  return {
    name: 'NodeRestriction',
    validate(request) {
      if (request.operation === 'CONNECT') return;
      const node = nodeName(request.user);
      const reason = node === undefined ? undefined : rules.get(key(request))?.(node, request, parts);
      if (reason !== undefined) throw newRefusal(request, reason);
    },
  };
}

function key({ group, resource }: { readonly group: string; readonly resource: string }): string {
  return `${group}/${resource}`;
}

function nodeRefusal(node: string, request: AdmissionRequest): string | undefined {
  if (request.name !== node) return `node "${node}" is not allowed to modify node "${request.name}"`;
  if (request.operation === 'DELETE') return undefined;
  const [next, old] = [request.object as KubeObject as Node, request.oldObject as Node | undefined];
  const source = next.spec?.configSource;
  if (!old && source) return `node "${node}" is not allowed to create pods with a non-nil configSource`;
  if (old && source && !jsonEqual(source, old.spec?.configSource))
    return `node "${node}" is not allowed to update configSource to a new non-nil configSource`;
  if (old && !jsonEqual(old.spec?.taints ?? [], next.spec?.taints ?? []))
    return `node "${node}" is not allowed to modify taints`;
  if (old && !jsonEqual(old.metadata.ownerReferences ?? [], next.metadata.ownerReferences ?? []))
    return `node "${node}" is not allowed to modify ownerReferences`;
  const changed = changedLabels(next, old).filter((label) => !isKubeletLabel(label));
  if (changed.length === 0) return undefined;
  return old
    ? `is not allowed to modify labels: ${changed.join(', ')}`
    : `node "${node}" is not allowed to set the following labels: ${changed.join(', ')}`;
}

function changedLabels(next: KubeObject, old: KubeObject | undefined): string[] {
  const [after, before] = [next.metadata.labels ?? {}, old?.metadata.labels ?? {}];
  return [...new Set([...Object.keys(after), ...Object.keys(before)])]
    .filter((label) => after[label] !== before[label])
    .sort();
}

/** Of a claim a node reports how large its volume has become. */
function claimRefusal(node: string, request: AdmissionRequest): string | undefined {
  if (request.subresource !== 'status') return 'may only update PVC status';
  if (request.operation !== 'UPDATE') return `unexpected operation "${request.operation}"`;
  const [next, old] = [request.object as KubeObject, request.oldObject as KubeObject].map((claim) =>
    withoutReported(claim as PersistentVolumeClaim),
  );
  return jsonEqual(next, old)
    ? undefined
    : `node "${node}" is not allowed to update fields other than status.capacity and status.conditions`;
}

function withoutReported(claim: PersistentVolumeClaim): object {
  const { resourceVersion: _version, managedFields: _fields, ...metadata } = claim.metadata;
  const {
    capacity: _capacity,
    conditions: _conditions,
    allocatedResources: _allocated,
    allocatedResourceStatuses: _statuses,
    ...status
  } = claim.status ?? {};
  return { metadata, spec: claim.spec ?? {}, status };
}

function leaseRefusal(node: string, { namespace, name, object }: AdmissionRequest): string | undefined {
  if (namespace !== leaseNamespace)
    return `can only access leases in the "${leaseNamespace}" system namespace`;
  return (name || object?.metadata.name) === node
    ? undefined
    : 'can only access node lease with the same name as the requesting node';
}

function csiNodeRefusal(node: string, { name, object }: AdmissionRequest): string | undefined {
  return (name || object?.metadata.name) === node
    ? undefined
    : 'can only access CSINode with the same name as the requesting node';
}

function resourceSliceRefusal(
  node: string,
  { operation, object, oldObject }: AdmissionRequest,
): string | undefined {
  if (operation === 'UPDATE') return undefined;
  const slice = (object ?? oldObject) as ResourceSlice | undefined;
  const verb = operation === 'CREATE' ? 'create' : 'delete';
  return slice?.spec.nodeName === node
    ? undefined
    : `can only ${verb} ResourceSlice with the same NodeName as the requesting node`;
}

function signingRefusal(node: string, { operation, object }: AdmissionRequest): string | undefined {
  if (operation !== 'CREATE') return undefined;
  const { signerName, request } = (object as KubeObject as CertificateSigningRequest).spec;
  if (!nodeSigners.includes(signerName)) return undefined;
  try {
    const { commonName } = parseCertificateRequest(Buffer.from(request, 'base64').toString());
    return commonName === `system:node:${node}`
      ? undefined
      : `can only create a node CSR with CN=system:node:${node}`;
  } catch (error) {
    if (error instanceof CertificateRequestError) return `unable to parse csr: ${error.message}`;
    throw error;
  }
}
