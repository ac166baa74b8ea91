import type { OwnerReference } from '../../machinery/meta/v1.gen.ts';
import type { KubeObject, ResourceType } from '../../machinery/object.ts';
import { jsonEqual } from '../../machinery/patch/json-value.ts';
import type { Authorizer } from '../auth/authorizer.ts';
import type { AdmissionPlugin } from './admission-chain.ts';
import { newRefusal } from './refuse.ts';

/** What the plug-in needs of the server. */
export interface OwnerPermissionParts {
  readonly authorizer: Authorizer;
  /** The resource of a kind; undefined when it is not served. */
  resourceOf(apiVersion: string, kind: string): ResourceType<KubeObject> | undefined;
}

/** References that block the deletion of their owner, and did not before. */
function newlyBlocking(object: KubeObject, old: KubeObject | undefined): OwnerReference[] {
  const before = new Set(
    (old?.metadata.ownerReferences ?? []).flatMap((one) => (one.blockOwnerDeletion ? [one.uid] : [])),
  );
  return (object.metadata.ownerReferences ?? []).filter(
    ({ uid, blockOwnerDeletion }) => blockOwnerDeletion && !before.has(uid),
  );
}

/**
 * Who gives an object owners must be allowed to delete it, and to delete the owners whose deletion it blocks (upstream's
 * OwnerReferencesPermissionEnforcement; optional).
 */
export function ownerReferencesPermission({ authorizer, resourceOf }: OwnerPermissionParts): AdmissionPlugin {
  return {
    name: 'OwnerReferencesPermissionEnforcement',
    validate(request) {
      const { operation, object, oldObject, user, group, version, resource, subresource, namespace } =
        request;
      if (!object || (operation !== 'CREATE' && operation !== 'UPDATE')) return;
      if (group === '' && resource === 'pods' && subresource === 'status') return;
      const next = object.metadata.ownerReferences ?? [];
      if (jsonEqual(next, oldObject?.metadata.ownerReferences ?? [])) return;
      const place = namespace === '' ? {} : { namespace };
      const own = authorizer.authorize(user, {
        verb: 'delete',
        group,
        version,
        resource,
        ...(subresource === '' ? {} : { subresource }),
        ...place,
        name: request.name,
      });
      if (!own.allowed) {
        const detail = `cannot set an ownerRef on a resource you can't delete: ${own.reason}, <nil>`;
        throw newRefusal(request, detail);
      }
      for (const { apiVersion, kind, name } of newlyBlocking(object, oldObject)) {
        const type = resourceOf(apiVersion, kind);
        if (!type) {
          throw newRefusal(
            request,
            `cannot set blockOwnerDeletion in this case because cannot find RESTMapping for APIVersion ${apiVersion} Kind ${kind}`,
          );
        }
        const owner = authorizer.authorize(user, {
          verb: 'update',
          group: type.group,
          version: type.version,
          resource: type.resource,
          subresource: 'finalizers',
          ...(type.namespaced ? place : {}),
          name,
        });
        if (owner.allowed) continue;
        throw newRefusal(
          request,
          `cannot set blockOwnerDeletion if an ownerReference refers to a resource you can't set finalizers on: ${owner.reason}, <nil>`,
        );
      }
    },
  };
}
