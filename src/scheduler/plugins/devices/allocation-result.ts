import { randomUUID } from 'node:crypto';
import type { NodeSelector, NodeSelectorRequirement } from '../../../api/core/v1.gen.ts';
import type {
  AllocationResult,
  DeviceAllocationConfiguration,
  DeviceRequestAllocationResult,
} from '../../../api/resource/v1.gen.ts';
import { deepEqual } from '../../../reconcile/deep-equal.ts';
import type { ChosenDevice, ClaimSolution, ClaimToAllocate } from './allocate-devices.ts';
import { printedShare } from './device-capacity.ts';
import type { Alternative } from './device-requests.ts';

/** What a claim's status says of the devices that were found. */
export function allocationResult(claim: ClaimToAllocate, solution: ClaimSolution): AllocationResult {
  const results = solution.devices.map(deviceResult);
  const config = configuration(claim, solution);
  const nodeSelector = nodeSelectorOf(solution.devices);
  return {
    devices: { ...(results.length > 0 && { results }), ...(config.length > 0 && { config }) },
    ...(nodeSelector && { nodeSelector }),
  };
}

function deviceResult({ alternative, device, share }: ChosenDevice): DeviceRequestAllocationResult {
  const { bindingConditions = [], bindingFailureConditions = [] } = device.device;
  return {
    request: alternative.name,
    driver: device.pool.driver,
    pool: device.pool.name,
    device: device.device.name,
    ...(alternative.adminAccess && { adminAccess: true }),
    ...(alternative.tolerations.length > 0 && { tolerations: alternative.tolerations }),
    ...(bindingConditions.length > 0 && { bindingConditions }),
    ...(bindingFailureConditions.length > 0 && { bindingFailureConditions }),
    ...(share && { shareID: randomUUID(), consumedCapacity: printedShare(device, share) }),
  };
}

/** The classes' configurations, each class's once, then the claim's that concern what was chosen. */
function configuration(
  { claim, requests }: ClaimToAllocate,
  { alternatives }: ClaimSolution,
): DeviceAllocationConfiguration[] {
  const used = requests.map(({ alternatives: all }, index) => all[alternatives[index] ?? 0]);
  const classes = new Map<string, { readonly example: Alternative; readonly names: string[] }>();
  for (const alternative of used) {
    if (!alternative) continue;
    const name = alternative.deviceClass.metadata.name ?? '';
    const held = classes.get(name);
    if (held) held.names.push(alternative.name);
    else classes.set(name, { example: alternative, names: [alternative.name] });
  }
  const everything = requests.length;
  const named = (names: readonly string[]): { readonly requests?: readonly string[] } =>
    names.length === 0 || names.length === everything ? {} : { requests: names };
  const ofClasses = [...classes.values()].flatMap(({ example, names }) =>
    (example.deviceClass.spec.config ?? []).map((config): DeviceAllocationConfiguration => ({
      ...config,
      source: 'FromClass',
      ...named(names),
    })),
  );
  const chosen = new Set([...requests.map(({ name }) => name), ...used.map((one) => one?.name ?? '')]);
  const ofClaim = (claim.spec.devices.config ?? [])
    .filter(({ requests: names = [] }) => names.length === 0 || names.some((name) => chosen.has(name)))
    .map(({ requests: names = [], ...config }): DeviceAllocationConfiguration => ({
      ...config,
      source: 'FromClaim',
      ...named(names),
    }));
  return [...ofClasses, ...ofClaim];
}

/** Where the devices can be used: on the one node that a device belongs to, or where all their selectors agree. */
function nodeSelectorOf(devices: readonly ChosenDevice[]): NodeSelector | undefined {
  const matchFields: NodeSelectorRequirement[] = [];
  const matchExpressions: NodeSelectorRequirement[] = [];
  for (const { device } of devices) {
    if (device.nodeName) {
      return {
        nodeSelectorTerms: [
          { matchFields: [{ key: 'metadata.name', operator: 'In', values: [device.nodeName] }] },
        ],
      };
    }
    const [term] = device.nodeSelector?.nodeSelectorTerms ?? [];
    addNew(matchFields, term?.matchFields);
    addNew(matchExpressions, term?.matchExpressions);
  }
  if (matchFields.length + matchExpressions.length === 0) return undefined;
  const term = {
    ...(matchExpressions.length > 0 && { matchExpressions }),
    ...(matchFields.length > 0 && { matchFields }),
  };
  return { nodeSelectorTerms: [term] };
}

function addNew(to: NodeSelectorRequirement[], from: readonly NodeSelectorRequirement[] | undefined): void {
  for (const requirement of from ?? []) {
    if (!to.some((held) => deepEqual(held, requirement))) to.push(requirement);
  }
}
