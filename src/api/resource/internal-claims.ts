import { internalForm } from '../internal-form.ts';

/** Prints claims for devices and their templates as upstream's internal form does. */
export const internalClaim: (type: string, value: object) => object = internalForm(`
ResourceClaimTemplateSpec: +ObjectMeta Spec:ResourceClaimSpec
ResourceClaimSpec: Devices:DeviceClaim
DeviceClaim: Requests[DeviceRequest Constraints[Constraint Config[Configuration
DeviceRequest: Name Exactly*ExactRequest FirstAvailable[SubRequest
ExactRequest: DeviceClassName Selectors[Selector AllocationMode Count# AdminAccess? Tolerations[Toleration Capacity*Capacity
SubRequest: Name DeviceClassName Selectors[Selector AllocationMode Count# Tolerations[Toleration Capacity*Capacity
Selector: CEL*Expression
Expression: Expression
Toleration: Key Operator Value Effect TolerationSeconds?
Capacity: Requests?
Constraint: Requests? MatchAttribute? DistinctAttribute?
Configuration: Requests? Opaque*Opaque
Opaque: Driver Parameters?
`);
