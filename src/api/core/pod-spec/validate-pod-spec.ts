import {
  type FieldError,
  duplicate,
  forbidden,
  invalid,
  notSupported,
  required,
} from '../../../machinery/field-error.ts';
import {
  dns1123LabelErrors,
  dns1123SubdomainErrors,
  qualifiedNameErrors,
  rangeMessage,
} from '../../../machinery/validation/names.ts';
import { validateLabels } from '../../../machinery/validation/object-meta.ts';
import type { PodResourceClaim, PodSpec } from '../v1.gen.ts';
import { invalidEach } from './invalid-each.ts';
import type { PodValidation } from './pod-validation.ts';
import { validateAffinity } from './validate-affinity.ts';
import {
  validateContainers,
  validateEphemeralContainers,
  validateInitContainers,
} from './validate-containers.ts';
import { validateDnsConfig, validateDnsPolicy, validateHostAliases } from './validate-dns.ts';
import { validateContainerResources, validatePodLevelResources } from './validate-resources.ts';
import {
  validateSchedulingGates,
  validateSpreadConstraints,
  validateTolerations,
} from './validate-scheduling.ts';
import { validatePodSecurity } from './validate-security.ts';
import { validateVolumes } from './validate-volumes.ts';
import { validateHostProcess, validateOs } from './validate-windows.ts';

const maxInt32 = 2_147_483_647;
const restartPolicies = ['Always', 'OnFailure', 'Never'];
const preemptionPolicies = ['PreemptLowerPriority', 'Never'];

function printedClaim(claim: PodResourceClaim): unknown {
  return {
    Name: claim.name,
    ResourceClaimName: claim.resourceClaimName ?? null,
    ResourceClaimTemplateName: claim.resourceClaimTemplateName ?? null,
  };
}

function validateClaims(claims: readonly PodResourceClaim[], field: string): FieldError[] {
  const names = new Set<string>();
  return claims.flatMap((claim, index) => {
    const at = `${field}[${index}]`;
    const errors: FieldError[] = [];
    const { name, resourceClaimName: given, resourceClaimTemplateName: template } = claim;
    if (!name) errors.push(required(`${at}.name`));
    else if (names.has(name)) errors.push(duplicate(`${at}.name`, name));
    else errors.push(...invalidEach(`${at}.name`, name, dns1123LabelErrors(name)));
    names.add(name);
    if (given !== undefined && template !== undefined) {
      const detail = 'at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified';
      errors.push(invalid(at, printedClaim(claim), detail));
    }
    if (given === undefined && template === undefined) {
      const detail = 'must specify one of: `resourceClaimName`, `resourceClaimTemplateName`';
      errors.push(invalid(at, printedClaim(claim), detail));
    }
    if (given !== undefined) {
      errors.push(...invalidEach(`${at}.resourceClaimName`, given, dns1123SubdomainErrors(given)));
    }
    if (template !== undefined) {
      errors.push(
        ...invalidEach(`${at}.resourceClaimTemplateName`, template, dns1123SubdomainErrors(template)),
      );
    }
    return errors;
  });
}

function validateHostPortsOfHostNetwork(spec: PodSpec, field: string, pod: PodValidation): FieldError[] {
  if (!spec.hostNetwork) return [];
  return spec.containers.flatMap((container, index) =>
    (container.ports ?? []).flatMap(({ hostPort = 0, containerPort }, position) => {
      if (hostPort === containerPort || (hostPort === 0 && pod.of === 'template')) return [];
      const at = `${field}.containers[${index}].ports[${position}].hostPort`;
      return [invalid(at, hostPort, 'must match `containerPort` when `hostNetwork` is true')];
    }),
  );
}

function validateRestartPolicy(spec: PodSpec, field: string): FieldError[] {
  const policy: string = spec.restartPolicy ?? '';
  if (!policy) return [required(`${field}.restartPolicy`)];
  return restartPolicies.includes(policy)
    ? []
    : [notSupported(`${field}.restartPolicy`, policy, restartPolicies)];
}

function validateHostUsers(spec: PodSpec, field: string): FieldError[] {
  if (spec.hostUsers !== false) return [];
  const given: [boolean | undefined, string][] = [
    [spec.hostNetwork, 'hostNetwork'],
    [spec.hostPID, 'HostPID'],
    [spec.hostIPC, 'HostIPC'],
  ];
  return given
    .filter(([value]) => value)
    .map(([, name]) => forbidden(`${field}.${name}`, 'when `hostUsers` is false'));
}

function validateHostname(spec: PodSpec, field: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const name of ['hostname', 'subdomain'] as const) {
    const value = spec[name];
    if (value) errors.push(...invalidEach(`${field}.${name}`, value, dns1123LabelErrors(value)));
  }
  const override = spec.hostnameOverride;
  if (override === undefined) return errors;
  const at = `${field}.hostnameOverride`;
  if (!override) errors.push(required(at));
  else errors.push(...invalidEach(at, override, dns1123SubdomainErrors(override)));
  if (override.length > 64) errors.push(invalid(at, override, 'must be no more than 64 characters'));
  if (spec.setHostnameAsFQDN) {
    errors.push(forbidden(at, 'may not be specified when `setHostnameAsFQDN` is true'));
  }
  if (spec.hostNetwork) errors.push(forbidden(at, 'may not be specified when `hostNetwork` is true'));
  return errors;
}

function validateNames(spec: PodSpec, field: string): FieldError[] {
  return (['serviceAccountName', 'nodeName'] as const).flatMap((name) => {
    const value = spec[name];
    return value ? invalidEach(`${field}.${name}`, value, dns1123SubdomainErrors(value)) : [];
  });
}

function validateClasses(spec: PodSpec, field: string): FieldError[] {
  const { priorityClassName, runtimeClassName, overhead } = spec;
  const preemption: string | undefined = spec.preemptionPolicy;
  const errors: FieldError[] = [];
  if (priorityClassName) {
    const messages = dns1123SubdomainErrors(priorityClassName);
    errors.push(...invalidEach(`${field}.priorityClassName`, priorityClassName, messages));
  }
  if (runtimeClassName !== undefined) {
    const messages = dns1123SubdomainErrors(runtimeClassName);
    errors.push(...invalidEach(`${field}.runtimeClassName`, runtimeClassName, messages));
  }
  if (preemption !== undefined && !preemptionPolicies.includes(preemption)) {
    errors.push(
      preemption
        ? notSupported(`${field}.preemptionPolicy`, preemption, preemptionPolicies)
        : required(`${field}.preemptionPolicy`),
    );
  }
  if (overhead) errors.push(...validateContainerResources({ limits: overhead }, `${field}.overhead`));
  return errors;
}

function validateDeadline(deadline: number | undefined, field: string): FieldError[] {
  if (deadline === undefined || (deadline >= 1 && deadline <= maxInt32)) return [];
  return [invalid(`${field}.activeDeadlineSeconds`, deadline, rangeMessage(1, maxInt32))];
}

function validateParts(spec: PodSpec, field: string, pod: PodValidation): FieldError[] {
  return [
    ...validateHostPortsOfHostNetwork(spec, field, pod),
    ...validateRestartPolicy(spec, field),
    ...validateDnsPolicy(spec, field),
    ...validateLabels(spec.nodeSelector, `${field}.nodeSelector`),
    ...validatePodSecurity(spec, `${field}.securityContext`),
    ...validateAffinity(spec.affinity, `${field}.affinity`),
    ...validateDnsConfig(spec, `${field}.dnsConfig`),
    ...(spec.readinessGates ?? []).flatMap(({ conditionType }, index) =>
      invalidEach(
        `${field}.readinessGates[${index}].conditionType`,
        conditionType,
        qualifiedNameErrors(conditionType),
      ),
    ),
    ...validateSchedulingGates(spec.schedulingGates ?? [], `${field}.schedulingGates`),
    ...validateSpreadConstraints(spec.topologySpreadConstraints ?? [], `${field}.topologySpreadConstraints`),
    ...validateHostProcess(spec, field),
    ...validateHostUsers(spec, field),
    ...validateNames(spec, field),
    ...validateDeadline(spec.activeDeadlineSeconds, field),
    ...validateHostname(spec, field),
    ...validateTolerations(spec.tolerations ?? [], `${field}.tolerations`),
    ...validateHostAliases(spec.hostAliases ?? [], `${field}.hostAliases`),
    ...validateClasses(spec, field),
    ...validateOs(spec, field),
  ];
}

/** Everything wrong with a pod spec, in upstream's order (`ValidatePodSpec` of the core API). */
export function validatePodSpec(
  spec: PodSpec,
  field: string,
  where: Pick<PodValidation, 'of' | 'podName'>,
): FieldError[] {
  const pod: PodValidation = {
    ...where,
    hostUsers: spec.hostUsers ?? true,
    ...(spec.os && { os: spec.os.name }),
    restartPolicy: spec.restartPolicy ?? '',
    gracePeriod: spec.terminationGracePeriodSeconds,
    claimNames: new Set((spec.resourceClaims ?? []).map(({ name }) => name).filter(Boolean)),
  };
  const volumes = validateVolumes(spec.volumes ?? [], `${field}.volumes`, where.podName);
  return [
    ...(pod.gracePeriod === undefined ? [required(`${field}.terminationGracePeriodSeconds`)] : []),
    ...volumes.errors,
    ...validateClaims(spec.resourceClaims ?? [], `${field}.resourceClaims`),
    ...validateContainers(spec.containers ?? [], `${field}.containers`, volumes.valid, pod),
    ...validateInitContainers(spec, `${field}.initContainers`, volumes.valid, pod),
    ...validateEphemeralContainers(spec, `${field}.ephemeralContainers`, volumes.valid, pod),
    ...validatePodLevelResources(spec, `${field}.resources`),
    ...validateParts(spec, field, pod),
  ];
}
