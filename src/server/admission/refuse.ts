import { newForbidden } from '../../machinery/status/errors.ts';
import type { StatusError } from '../../machinery/status-error.ts';
import type { AdmissionRequest } from './admission-chain.ts';

/** The Forbidden with which a plug-in refuses a request, naming its object as upstream's `admission.NewForbidden` does. */
export function newRefusal(request: AdmissionRequest, detail: string): StatusError {
  const { group, resource } = request;
  return newForbidden({ group, resource }, refusedName(request), detail);
}

/** The request's name, else the object's, else what its name is generated from; `Unknown` without any. */
export function refusedName({ name, object }: AdmissionRequest): string {
  return name || object?.metadata?.name || object?.metadata?.generateName || 'Unknown';
}
