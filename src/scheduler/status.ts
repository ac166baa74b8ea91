/**
 * How a plug-in's answer is not a plain success, which is `undefined` everywhere.
 * `Unschedulable`: not now; removing pods might help. `UnschedulableAndUnresolvable`: removing pods would not help.
 * `Pending`: not now, and the wait is not the pod's fault (no back-off). `Skip`: the plug-in has nothing to say.
 * `Wait`: Permit holds the pod back. `Error`: something that should not happen.
 */
export type StatusCode =
  | 'Unschedulable'
  | 'UnschedulableAndUnresolvable'
  | 'Pending'
  | 'Skip'
  | 'Wait'
  | 'Error';

/** A plug-in's answer that is not a plain success. Plug-ins share constants where they can: filters return many. */
export interface Status {
  readonly code: StatusCode;
  /** In upstream's words; they are counted over all nodes in the pod's condition and event. */
  readonly reasons: readonly string[];
  readonly error?: unknown;
}

export const SKIP: Status = { code: 'Skip', reasons: [] };

export function unschedulable(...reasons: readonly string[]): Status {
  return { code: 'Unschedulable', reasons };
}

export function unresolvable(...reasons: readonly string[]): Status {
  return { code: 'UnschedulableAndUnresolvable', reasons };
}

/** Wraps what was thrown or went wrong. */
export function errorStatus(error: unknown): Status {
  return { code: 'Error', reasons: [error instanceof Error ? error.message : String(error)], error };
}

/** Whether the pod cannot go there, as opposed to success, skipping, waiting and errors. */
export function isRejection(status: Status | undefined): boolean {
  return (
    status !== undefined &&
    (status.code === 'Unschedulable' ||
      status.code === 'UnschedulableAndUnresolvable' ||
      status.code === 'Pending')
  );
}
