import { namespaces } from '../../api/core/v1.gen.ts';
import {
  type DeviceClaim,
  resourceclaims,
  type ResourceClaim,
  resourceclaimtemplates,
  type ResourceClaimTemplate,
} from '../../api/resource/v1.gen.ts';
import { forbidden } from '../../machinery/field-error.ts';
import type { KubeObject } from '../../machinery/object.ts';
import { newInvalid } from '../../machinery/status/errors.ts';
import type { AdmissionPlugin, AdmissionRequest } from './admission-chain.ts';
import { isCreationOf } from './default-class.ts';
import type { Lookup } from './lookup.ts';
import { refusedName } from './refuse.ts';

const label = 'resource.kubernetes.io/admin-access';

/** Devices in use by others are seen only from namespaces that are labelled for it (upstream's `AuthorizedForAdmin`). */
export function deviceAdminAccess(lookup: Lookup): AdmissionPlugin {
  return {
    name: 'DeviceAdminAccess',
    validate(request) {
      const fields = adminFields(request);
      if (fields.length === 0) return;
      if (lookup.get(namespaces, '', request.namespace)?.metadata.labels?.[label] === 'true') return;
      const detail = `admin access to devices requires the \`${label}: true\` label on the containing namespace`;
      throw newInvalid(
        request.kind,
        refusedName(request),
        fields.map((field) => forbidden(field, detail)),
      );
    },
  };
}

/** Where a request asks for such access. */
function adminFields(request: AdmissionRequest): string[] {
  const { object, oldObject, group, resource, subresource, operation } = request;
  if (isCreationOf(resourceclaims, request)) {
    return requestFields((object as KubeObject as ResourceClaim).spec.devices);
  }
  if (isCreationOf(resourceclaimtemplates, request)) {
    return requestFields((object as KubeObject as ResourceClaimTemplate).spec.spec.devices);
  }
  const isStatus = group === resourceclaims.group && resource === resourceclaims.resource;
  if (!isStatus || subresource !== 'status' || operation !== 'UPDATE') return [];
  const before = resultFields(oldObject as ResourceClaim);
  return before.length > 0 ? [] : resultFields(object as KubeObject as ResourceClaim);
}

function requestFields({ requests }: DeviceClaim): string[] {
  return requests.flatMap(({ exactly }, index) =>
    exactly?.adminAccess ? [`spec.devices.requests[${index}].adminAccess`] : [],
  );
}

function resultFields({ status }: ResourceClaim): string[] {
  return (status?.allocation?.devices?.results ?? []).flatMap(({ adminAccess }, index) =>
    adminAccess ? [`status.allocation.devices.results[${index}].adminAccess`] : [],
  );
}
