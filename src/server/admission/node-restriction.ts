import { leases } from '../../api/coordination/v1.gen.ts';
import { nodes, pods, serviceaccounts, type Node, type Pod, type PodSpec } from '../../api/core/v1.gen.ts';
import type { TokenRequest } from '../../api/authentication/v1.gen.ts';
import type { KubeObject } from '../../machinery/object.ts';
import { jsonEqual } from '../../machinery/patch/json-value.ts';
import { nodeName } from '../auth/node-authorizer.ts';
import type { AdmissionPlugin, AdmissionRequest } from './admission-chain.ts';
import type { Lookup } from './lookup.ts';
import { newRefusal } from './refuse.ts';

const mirrorAnnotation = 'kubernetes.io/config.mirror';
const restrictedLabel = /(^|\.)node-restriction\.kubernetes\.io\//;
const leaseNamespace = 'kube-node-lease';

/** Says why a node may not do what it asks; undefined when it may. */
type Rule = (node: string, request: AdmissionRequest, lookup: Lookup) => string | undefined;

const rules: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  [key(nodes), nodeRefusal],
  [key(pods), podRefusal],
  [key(leases), leaseRefusal],
  [key(serviceaccounts), tokenRefusal],
]);

/** A node changes only itself, its lease and the pods on it, and gets tokens only for those pods (upstream's NodeRestriction). */
export function nodeRestriction(lookup: Lookup): AdmissionPlugin {
  return {
    name: 'NodeRestriction',
    validate(request) {
      const node = nodeName(request.user);
      const reason = node === undefined ? undefined : rules.get(key(request))?.(node, request, lookup);
      if (reason === undefined) return;
      throw newRefusal(request, reason);
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
  if (old && !jsonEqual(old.spec?.taints ?? [], next.spec?.taints ?? []))
    return `node "${node}" is not allowed to modify taints`;
  const changed = changedLabels(next, old).filter((label) => restrictedLabel.test(label));
  if (changed.length === 0) return undefined;
  return old
    ? `is not allowed to modify labels: ${changed.join(', ')}`
    : `is not allowed to set the following labels: ${changed.join(', ')}`;
}

function changedLabels(next: KubeObject, old: KubeObject | undefined): string[] {
  const [after, before] = [next.metadata.labels ?? {}, old?.metadata.labels ?? {}];
  return [...new Set([...Object.keys(after), ...Object.keys(before)])]
    .filter((label) => after[label] !== before[label])
    .sort();
}

function podRefusal(node: string, request: AdmissionRequest, lookup: Lookup): string | undefined {
  const { operation, subresource } = request;
  const old = (request.oldObject ?? lookup.get(pods, request.namespace, request.name)) as Pod | undefined;
  const isElsewhere = old !== undefined && old.spec.nodeName !== node;
  if (subresource === '' && operation === 'CREATE')
    return mirrorRefusal(node, request.object as KubeObject as Pod, lookup);
  if (subresource === '' && operation === 'DELETE')
    return isElsewhere ? `node "${node}" can only delete pods with spec.nodeName set to itself` : undefined;
  if (subresource === 'status' && isElsewhere)
    return `node "${node}" can only update pod status for pods with spec.nodeName set to itself`;
  if (subresource === 'eviction' && isElsewhere)
    return `node ${node} can only evict pods with spec.nodeName set to itself`;
  return undefined;
}

/** A node creates nothing but images of the static pods that it runs. */
function mirrorRefusal(node: string, { metadata, spec }: Pod, lookup: Lookup): string | undefined {
  if (!metadata.annotations || !Object.hasOwn(metadata.annotations, mirrorAnnotation))
    return `pod does not have "${mirrorAnnotation}" annotation, node "${node}" can only create mirror pods`;
  if (spec.nodeName !== node) return `node "${node}" can only create pods with spec.nodeName set to itself`;
  const owners = metadata.ownerReferences ?? [];
  if (owners.length === 0) return `node "${node}" can only create pods with an owner reference set to itself`;
  if (owners.length > 1)
    return `node "${node}" can only create pods with a single owner reference set to itself`;
  const uid = lookup.get<Node>(nodes, '', node)?.metadata.uid;
  const isOwn = owners.every((owner) => owner.kind === 'Node' && owner.name === node && owner.uid === uid);
  if (!isOwn) return `node "${node}" can only create pods with an owner reference set to itself`;
  const reference = referenceOf(spec);
  return reference && `node "${node}" can not create pods that reference ${reference}`;
}

function referenceOf({ serviceAccountName, volumes = [] }: PodSpec): string | undefined {
  if (serviceAccountName) return 'a service account';
  if (volumes.some(({ secret }) => secret)) return 'secrets';
  if (volumes.some(({ configMap }) => configMap)) return 'configmaps';
  if (volumes.some(({ persistentVolumeClaim }) => persistentVolumeClaim)) return 'persistentvolumeclaims';
  return undefined;
}

function leaseRefusal(node: string, { namespace, name }: AdmissionRequest): string | undefined {
  if (namespace !== leaseNamespace)
    return `can only access leases in the "${leaseNamespace}" system namespace`;
  return name === node ? undefined : 'can only access node lease with the same name as the requesting node';
}

function tokenRefusal(node: string, request: AdmissionRequest, lookup: Lookup): string | undefined {
  if (request.subresource !== 'token') return undefined;
  const { boundObjectRef } = (request.object as KubeObject as TokenRequest).spec;
  const { kind, apiVersion, name = '', uid } = boundObjectRef ?? {};
  if (kind !== 'Pod' || apiVersion !== 'v1' || name === '') return 'node requested token not bound to a pod';
  if (!uid) return 'node requested token with a pod binding without a uid';
  const pod = lookup.get<Pod>(pods, request.namespace, name);
  if (pod && pod.metadata.uid !== uid)
    return `the UID in the bound object reference (${uid}) does not match the UID in record. The object might have been deleted and then recreated`;
  return pod?.spec.nodeName === node
    ? undefined
    : 'node requested token bound to a pod scheduled on a different node';
}
