import { namespaces } from '../../api/core/v1.gen.ts';
import { newNotFound } from '../../machinery/status/errors.ts';
import { StatusError } from '../../machinery/status-error.ts';
import type { AdmissionPlugin } from './admission-chain.ts';
import type { Lookup } from './lookup.ts';
import { newRefusal } from './refuse.ts';

const immortal = new Set(['default', 'kube-system', 'kube-public']);

/** Nothing is created in a namespace that does not exist or is going away, and some namespaces never go (upstream's NamespaceLifecycle). */
export function namespaceLifecycle(lookup: Lookup): AdmissionPlugin {
  return {
    name: 'NamespaceLifecycle',
    admit(request) {
      if (
        request.operation === 'DELETE' &&
        request.group === '' &&
        request.resource === 'namespaces' &&
        immortal.has(request.name)
      )
        throw newRefusal(request, 'this namespace may not be deleted');
      if (request.operation !== 'CREATE' || request.namespace === '' || request.resource === 'namespaces')
        return;
      if (request.resource === 'localsubjectaccessreviews') return;
      const namespace = lookup.get(namespaces, '', request.namespace);
      if (!namespace) throw newNotFound({ group: '', resource: 'namespaces' }, request.namespace);
      if (namespace.status?.phase !== 'Terminating') return;
      const { status } = newRefusal(
        request,
        `unable to create new content in namespace ${request.namespace} because it is being terminated`,
      );
      const cause = {
        reason: 'NamespaceTerminating',
        message: `namespace ${request.namespace} is being terminated`,
        field: 'metadata.namespace',
      };
      throw new StatusError({ ...status, details: { ...status.details, causes: [cause] } });
    },
  };
}
