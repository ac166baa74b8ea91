import { gatewayGroup, type ReferenceGrant } from './gateway-api.ts';

/** A reference out of a namespace. */
export interface CrossReference {
  readonly from: { readonly kind: string; readonly namespace: string };
  readonly to: {
    readonly group: string;
    readonly kind: string;
    readonly namespace: string;
    readonly name: string;
  };
}

/** Whether a ReferenceGrant in the target's namespace allows it. Within one namespace nobody has to. */
export function isGranted(grants: readonly ReferenceGrant[], { from, to }: CrossReference): boolean {
  if (from.namespace === to.namespace) return true;
  return grants.some(
    ({ metadata, spec }) =>
      metadata.namespace === to.namespace &&
      spec.from.some(
        (one) => one.group === gatewayGroup && one.kind === from.kind && one.namespace === from.namespace,
      ) &&
      spec.to.some(
        (one) => one.group === to.group && one.kind === to.kind && (!one.name || one.name === to.name),
      ),
  );
}
