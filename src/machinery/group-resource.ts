/** What a message is about: `pods`, or `deployments` of `apps`; subresources as `pods/binding`. */
export interface GroupResource {
  readonly group: string;
  readonly resource: string;
}

/** A kind as `Invalid` errors name it: `Deployment.apps`. */
export interface GroupKind {
  readonly group: string;
  readonly kind: string;
}

/** `deployments.apps`, or `pods` in the core group. */
export function qualified(name: string, group: string): string {
  return group === '' ? name : `${name}.${group}`;
}
