import { isStatus } from '../machinery/status-error.ts';

/** Whether a creation was refused because its namespace is going: nothing can be done there any more. */
export function isNamespaceTerminating(error: unknown): boolean {
  if (!isStatus(error, 'Forbidden')) return false;
  return error.status.details?.causes?.some(({ reason }) => reason === 'NamespaceTerminating') === true;
}
