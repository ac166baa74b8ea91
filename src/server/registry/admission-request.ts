import type { DeepMutable, KubeObject } from '../../machinery/object.ts';
import type { AdmissionRequest } from '../admission/admission-chain.ts';
import type { RequestContext } from './request-context.ts';
import { groupKind, type ServedVersion } from './served-resource.ts';

/** What of an admission request differs from write to write. */
export interface AdmissionSubject {
  readonly operation: AdmissionRequest['operation'];
  readonly name: string;
  readonly dryRun: boolean;
  readonly object?: DeepMutable<KubeObject>;
  readonly oldObject?: KubeObject;
}

export function admissionRequest(
  served: ServedVersion,
  context: RequestContext,
  subject: AdmissionSubject,
): AdmissionRequest {
  const { group, version, resource } = served.type;
  const kind = groupKind(served);
  return {
    ...subject,
    user: context.user,
    group,
    version,
    resource,
    kind,
    subresource: context.request.subresource ?? '',
    namespace: context.request.namespace ?? '',
    warn: (message) => context.warn(message),
  };
}
