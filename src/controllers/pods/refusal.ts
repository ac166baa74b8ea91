import { isStatus } from '../../machinery/status-error.ts';

/** Whether a creation was refused because its namespace is going: nothing can be done there any more. */
export function isNamespaceTerminating(error: unknown): boolean {
  if (!isStatus(error, 'Forbidden')) return false;
  return error.status.details?.causes?.some(({ reason }) => reason === 'NamespaceTerminating') === true;
}

/** What an error says. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
