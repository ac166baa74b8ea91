import { internalForm } from '../internal-form.ts';

/** Prints the policies of jobs as upstream's internal form does. */
export const internalPolicy: (type: string, value: object) => object = internalForm(`
PodFailurePolicy: Rules[FailureRule
FailureRule: Action OnExitCodes*ExitCodes OnPodConditions[PodCondition
ExitCodes: ContainerName? Operator Values?
PodCondition: Type Status
SuccessPolicy: Rules[SuccessRule
SuccessRule: SucceededIndexes? SucceededCount?
`);
