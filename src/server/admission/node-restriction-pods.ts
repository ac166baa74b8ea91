import { podConfigMapNames, podSecretNames } from '../../api/core/pod-references.ts';
import { nodes, pods, type Node, type Pod } from '../../api/core/v1.gen.ts';
import type { KubeObject } from '../../machinery/object.ts';
import { jsonEqual } from '../../machinery/patch/json-value.ts';
import { newNotFound } from '../../machinery/status/errors.ts';
import type { AdmissionRequest } from './admission-chain.ts';
import type { Lookup } from './lookup.ts';

const mirrorAnnotation = 'kubernetes.io/config.mirror';

/** Why a node may not do this with a pod; undefined when it may. Throws 404 for a pod that does not exist. */
export function podRefusal(node: string, request: AdmissionRequest, lookup: Lookup): string | undefined {
  const { operation, subresource } = request;
  switch (subresource) {
    case '':
      if (operation === 'CREATE') return mirrorRefusal(node, request.object as KubeObject as Pod, lookup);
      if (operation !== 'DELETE')
        return `unexpected operation "${operation}", node "${node}" can only create and delete mirror pods`;
      return podOf(request, lookup).spec.nodeName === node
        ? undefined
        : `node "${node}" can only delete pods with spec.nodeName set to itself`;
    case 'status':
      return statusRefusal(node, request);
    case 'eviction':
      if (operation !== 'CREATE') return `unexpected operation ${operation}`;
      return podOf(request, lookup).spec.nodeName === node
        ? undefined
        : `node ${node} can only evict pods with spec.nodeName set to itself`;
    default:
      return `unexpected pod subresource "${subresource}", only 'status' and 'eviction' are allowed`;
  }
}

function podOf({ oldObject, namespace, name }: AdmissionRequest, lookup: Lookup): Pod {
  const pod = (oldObject as Pod | undefined) ?? lookup.get<Pod>(pods, namespace, name);
  if (!pod) throw newNotFound({ group: '', resource: 'pods' }, name);
  return pod;
}

function statusRefusal(node: string, { operation, object, oldObject }: AdmissionRequest): string | undefined {
  if (operation !== 'UPDATE') return `unexpected operation "${operation}"`;
  const [next, old] = [object as KubeObject as Pod, oldObject as Pod];
  if (old.spec.nodeName !== node)
    return `node "${node}" can only update pod status for pods with spec.nodeName set to itself`;
  if (!jsonEqual(old.metadata.labels ?? {}, next.metadata.labels ?? {}))
    return `node "${node}" cannot update labels through pod status`;
  const claims = ({ status }: Pod): unknown => status?.resourceClaimStatuses ?? [];
  return jsonEqual(claims(old), claims(next))
    ? undefined
    : `node "${node}" cannot update resource claim statues`;
}

/** A node creates nothing but images of the static pods that it runs. */
function mirrorRefusal(node: string, { metadata, spec }: Pod, lookup: Lookup): string | undefined {
  if (!metadata.annotations || !Object.hasOwn(metadata.annotations, mirrorAnnotation))
    return `pod does not have "${mirrorAnnotation}" annotation, node "${node}" can only create mirror pods`;
  if (spec.nodeName !== node) return `node "${node}" can only create pods with spec.nodeName set to itself`;
  const [owner, ...others] = metadata.ownerReferences ?? [];
  if (others.length > 0)
    return `node "${node}" can only create pods with a single owner reference set to itself`;
  if (owner?.apiVersion !== 'v1' || owner.kind !== 'Node' || owner.name !== node)
    return `node "${node}" can only create pods with an owner reference set to itself`;
  if (!owner.controller)
    return `node "${node}" can only create pods with a controller owner reference set to itself`;
  if (owner.blockOwnerDeletion) return `node "${node}" must not set blockOwnerDeletion on an owner reference`;
  const uid = lookup.get<Node>(nodes, '', node)?.metadata.uid;
  if (uid === undefined) throw newNotFound({ group: '', resource: 'nodes' }, node);
  if (owner.uid !== uid) return `node ${node} UID mismatch: expected ${owner.uid} got ${uid}`;
  const reference = referenceOf(spec);
  return reference && `node "${node}" can not create pods that reference ${reference}`;
}

function referenceOf(spec: Pod['spec']): string | undefined {
  const { serviceAccountName, volumes = [], resourceClaims = [] } = spec;
  if (serviceAccountName) return 'a service account';
  if (podSecretNames(spec).length > 0) return 'secrets';
  if (podConfigMapNames(spec).length > 0) return 'configmaps';
  const projected = volumes.flatMap((volume) => volume.projected?.sources ?? []);
  if (projected.some(({ clusterTrustBundle }) => clusterTrustBundle)) return 'clustertrustbundles';
  if (volumes.some(({ persistentVolumeClaim }) => persistentVolumeClaim)) return 'persistentvolumeclaims';
  return resourceClaims.length > 0 ? 'resourceclaims' : undefined;
}
