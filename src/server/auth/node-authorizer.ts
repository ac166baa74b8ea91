import { parseFieldSelector } from '../../machinery/selectors/field-selector.ts';
import { StatusError } from '../../machinery/status-error.ts';
import type { Attributes, Authorizer, Decision, ResourceAttributes } from './authorizer.ts';
import { nodeName } from './node-identity.ts';
import type { NodeRelations, RelatedKind } from './node-relations.ts';
import { ruleAllows, type PolicySource } from './rbac-authorizer.ts';

const nodeRole = 'system:node';
const leaseNamespace = 'kube-node-lease';

const allowed: Decision = { allowed: true, reason: '', by: 'node' };

function noOpinion(reason: string): Decision {
  return { allowed: false, reason };
}

/** Decides on one resource. */
type Rule = (node: string, attributes: ResourceAttributes, relations: NodeRelations) => Decision;

const rules: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ['/secrets', (...asked) => readOne('secret', ...asked)],
  ['/configmaps', (...asked) => readOne('configMap', ...asked)],
  ['/persistentvolumeclaims', persistentVolumeClaim],
  ['/persistentvolumes', (...asked) => getOne('persistentVolume', ...asked)],
  ['resource.k8s.io/resourceclaims', (...asked) => getOne('resourceClaim', ...asked)],
  ['resource.k8s.io/resourceslices', resourceSlice],
  ['storage.k8s.io/volumeattachments', (...asked) => getOne('volumeAttachment', ...asked)],
  ['storage.k8s.io/csinodes', csiNode],
  ['coordination.k8s.io/leases', lease],
  ['/serviceaccounts', createToken],
  ['/nodes', ownNode],
  ['/pods', pod],
]);

export interface NodeAuthorizerOptions {
  readonly policy: PolicySource;
  readonly relations: NodeRelations;
  /** Decides on what this one has no opinion about. */
  readonly next: Authorizer;
}

/**
 * Lets nodes do what the cluster role `system:node` lists, and of secrets, config maps, volumes, claims and accounts touch only
 * those that the pods bound to them use (upstream's Node authorizer). What it does not allow the next authorizer may.
 */
export function createNodeAuthorizer({ policy, relations, next }: NodeAuthorizerOptions): Authorizer {
  return {
    authorize(user, attributes): Decision {
      const node = nodeName(user);
      if (node === undefined) return next.authorize(user, attributes);
      const decision = decide(node, attributes);
      if (decision.allowed) return decision;
      const other = next.authorize(user, attributes);
      if (other.allowed || decision.reason === '') return other;
      return other.reason === '' ? decision : noOpinion(`${decision.reason}\n${other.reason}`);
    },
  };

  function decide(node: string, attributes: Attributes): Decision {
    if ('resource' in attributes) {
      const rule = rules.get(`${attributes.group}/${attributes.resource}`);
      if (rule) return rule(node, attributes, relations);
    }
    const granted = policy.clusterRole(nodeRole)?.rules ?? [];
    return granted.some((rule) => ruleAllows(rule, attributes)) ? allowed : noOpinion('');
  }
}

function related(
  kind: RelatedKind,
  node: string,
  { namespace = '', name }: ResourceAttributes,
  relations: NodeRelations,
): Decision {
  if (!name) return noOpinion('No Object name found');
  return relations.isRelated(node, kind, { namespace, name })
    ? allowed
    : noOpinion(`no relationship found between node '${node}' and this object`);
}

function readOne(kind: RelatedKind, ...[node, attributes, relations]: Parameters<Rule>): Decision {
  if (!['get', 'list', 'watch'].includes(attributes.verb))
    return noOpinion('can only read resources of this type');
  if (attributes.subresource) return noOpinion('cannot read subresource');
  if (!attributes.namespace) return noOpinion('can only read namespaced object of this type');
  return related(kind, node, attributes, relations);
}

function getOne(kind: RelatedKind, ...[node, attributes, relations]: Parameters<Rule>): Decision {
  if (attributes.verb !== 'get') return noOpinion('can only get individual resources of this type');
  if (attributes.subresource) return noOpinion('cannot get subresource');
  return related(kind, node, attributes, relations);
}

function persistentVolumeClaim(...asked: Parameters<Rule>): Decision {
  const [node, attributes, relations] = asked;
  if (attributes.subresource !== 'status') return getOne('persistentVolumeClaim', ...asked);
  if (attributes.verb !== 'update' && attributes.verb !== 'patch')
    return noOpinion('can only get/update/patch this type');
  return related('persistentVolumeClaim', node, attributes, relations);
}

function createToken(node: string, attributes: ResourceAttributes, relations: NodeRelations): Decision {
  const { verb, name, subresource } = attributes;
  if (verb !== 'create' || !name) return noOpinion('can only create tokens for individual service accounts');
  if (subresource !== 'token') return noOpinion('can only create token subresource of serviceaccount');
  return related('serviceAccount', node, attributes, relations);
}

const ownVerbs = ['get', 'create', 'update', 'patch', 'delete'];

function lease(node: string, { verb, namespace, name }: ResourceAttributes): Decision {
  if (!ownVerbs.includes(verb))
    return noOpinion('can only get, create, update, patch, or delete a node lease');
  if (namespace !== leaseNamespace)
    return noOpinion(`can only access leases in the "${leaseNamespace}" system namespace`);
  if (verb !== 'create' && name !== node)
    return noOpinion('can only access node lease with the same name as the requesting node');
  return allowed;
}

function csiNode(node: string, { verb, subresource, name }: ResourceAttributes): Decision {
  if (!ownVerbs.includes(verb)) return noOpinion('can only get, create, update, patch, or delete a CSINode');
  if (subresource) return noOpinion('cannot authorize CSINode subresources');
  if (verb !== 'create' && name !== node)
    return noOpinion('can only access CSINode with the same name as the requesting node');
  return allowed;
}

function resourceSlice(node: string, attributes: ResourceAttributes, relations: NodeRelations): Decision {
  if (attributes.subresource) return noOpinion('cannot authorize ResourceSlice subresources');
  switch (attributes.verb) {
    case 'create':
      return allowed;
    case 'get':
    case 'update':
    case 'patch':
    case 'delete':
      return related('resourceSlice', node, attributes, relations);
    case 'watch':
    case 'list':
    case 'deletecollection':
      return selects(attributes, 'spec.nodeName', node)
        ? allowed
        : noOpinion('can only list/watch/deletecollection resourceslices with nodeName field selector');
    default:
      return noOpinion(
        'only the following verbs are allowed for a ResourceSlice: get, watch, list, create, update, patch, delete, deletecollection',
      );
  }
}

function ownNode(node: string, { verb, subresource = '', name = '' }: ResourceAttributes): Decision {
  if (subresource === 'status') return verb === 'update' || verb === 'patch' ? allowed : noOpinion('');
  if (subresource !== '') return noOpinion('');
  if (['create', 'update', 'patch'].includes(verb)) return allowed;
  if (!['get', 'list', 'watch'].includes(verb)) return noOpinion('');
  if (name === node) return allowed;
  return noOpinion(
    name === ''
      ? `node '${node}' cannot read all nodes, only its own Node object`
      : `node '${node}' cannot read '${name}', only its own Node object`,
  );
}

function pod(...asked: Parameters<Rule>): Decision {
  const [node, attributes, relations] = asked;
  const { verb, subresource = '', name } = attributes;
  if (subresource === 'status') return verb === 'update' || verb === 'patch' ? allowed : noOpinion('');
  if (subresource === 'eviction') return verb === 'create' ? allowed : noOpinion('');
  if (subresource !== '') return noOpinion('');
  switch (verb) {
    case 'get':
      return getOne('pod', ...asked);
    case 'list':
    case 'watch':
      if (selects(attributes, 'spec.nodeName', node)) return allowed;
      return name
        ? related('pod', node, attributes, relations)
        : noOpinion('can only list/watch pods with spec.nodeName field selector');
    case 'create':
    case 'delete':
      return allowed;
    default:
      return noOpinion('');
  }
}

/** Whether the request is only about objects with this value. A selector that cannot be read selects nothing. */
function selects({ fieldSelector = '' }: ResourceAttributes, field: string, value: string): boolean {
  if (fieldSelector === '') return false;
  try {
    return parseFieldSelector(fieldSelector).some(
      (requirement) =>
        requirement.field === field && requirement.operator !== '!=' && requirement.value === value,
    );
  } catch (error) {
    if (error instanceof StatusError) return false;
    throw error;
  }
}
