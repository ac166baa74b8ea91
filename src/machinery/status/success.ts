import type { Status, StatusDetails } from '../meta/v1.gen.ts';

/** The `Success` that answers a delete whose object is gone; `details` name it. */
export function newSuccess(details?: StatusDetails): Status {
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    ...(details ? { details } : {}),
  };
}
