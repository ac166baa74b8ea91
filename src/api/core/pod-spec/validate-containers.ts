import {
  type FieldError,
  duplicate,
  forbidden,
  invalid,
  notFound,
  notSupported,
  required,
  tooMany,
} from '../../../machinery/field-error.ts';
import { dns1123LabelErrors, portNameErrors, portNumberErrors } from '../../../machinery/validation/names.ts';
import type {
  Container,
  ContainerPort,
  ContainerRestartRule,
  EphemeralContainer,
  PodSpec,
  VolumeSource,
} from '../v1.gen.ts';
import { invalidEach } from './invalid-each.ts';
import type { PodValidation } from './pod-validation.ts';
import { validateEnv, validateEnvFrom } from './validate-env.ts';
import { validateDevices, validateMounts } from './validate-mounts.ts';
import { validateHooksAndProbes } from './validate-probes.ts';
import { validateContainerResources } from './validate-resources.ts';
import { validateContainerSecurity } from './validate-security.ts';

/** Volumes of the pod that are valid, by name. */
export type Volumes = ReadonlyMap<string, VolumeSource>;

const protocols = ['SCTP', 'TCP', 'UDP'];
const pullPolicies = ['Always', 'IfNotPresent', 'Never'];
const messagePolicies = ['File', 'FallbackToLogsOnError'];
const resizable = ['cpu', 'memory'];
const resizeRestarts = ['NotRequired', 'RestartContainer'];
const restartPolicies = ['Always', 'Never', 'OnFailure'];
const ruleActions = ['Restart', 'RestartAllContainers'];
const maxRules = 20;
const maxExitCodes = 255;

/** `Always`, `IfNotPresent` or `Never`. */
export function validatePullPolicy(policy: string, field: string): FieldError[] {
  if (!policy) return [required(field)];
  return pullPolicies.includes(policy) ? [] : [notSupported(field, policy, pullPolicies)];
}

/** The protocol of a port of a container or service. */
export function validateProtocol(protocol: string, field: string): FieldError[] {
  if (!protocol) return [required(field)];
  return protocols.includes(protocol) ? [] : [notSupported(field, protocol, protocols)];
}

function validatePorts(ports: readonly ContainerPort[], field: string): FieldError[] {
  const names = new Set<string>();
  return ports.flatMap((port, index) => {
    const at = `${field}[${index}]`;
    const errors: FieldError[] = [];
    const { name, containerPort, hostPort, protocol = '' } = port;
    if (name) {
      const messages = portNameErrors(name);
      errors.push(...invalidEach(`${at}.name`, name, messages));
      if (messages.length === 0 && names.has(name)) errors.push(duplicate(`${at}.name`, name));
      if (messages.length === 0) names.add(name);
    }
    if (!containerPort) errors.push(required(`${at}.containerPort`));
    else errors.push(...invalidEach(`${at}.containerPort`, containerPort, portNumberErrors(containerPort)));
    if (hostPort) errors.push(...invalidEach(`${at}.hostPort`, hostPort, portNumberErrors(hostPort)));
    return [...errors, ...validateProtocol(protocol, `${at}.protocol`)];
  });
}

function validateHostPorts(containers: readonly Container[], field: string): FieldError[] {
  const taken = new Set<string>();
  return containers.flatMap((container, index) =>
    (container.ports ?? []).flatMap(({ protocol, hostIP, hostPort }, position) => {
      if (!hostPort) return [];
      const key = `${protocol ?? ''}/${hostIP ?? ''}/${hostPort}`;
      if (taken.has(key)) return [duplicate(`${field}[${index}].ports[${position}].hostPort`, key)];
      taken.add(key);
      return [];
    }),
  );
}

function validateResizePolicy(container: Container, field: string, pod: PodValidation): FieldError[] {
  const seen = new Set<string>();
  return (container.resizePolicy ?? []).flatMap(({ resourceName, restartPolicy }, index) => {
    const errors: FieldError[] = [];
    if (seen.has(resourceName)) errors.push(duplicate(`${field}[${index}]`, resourceName));
    seen.add(resourceName);
    if (!resourceName) errors.push(required(field));
    else if (!resizable.includes(resourceName)) errors.push(notSupported(field, resourceName, resizable));
    if (!restartPolicy) errors.push(required(field));
    else if (!resizeRestarts.includes(restartPolicy)) {
      errors.push(notSupported(field, restartPolicy, resizeRestarts));
    }
    if (pod.restartPolicy === 'Never' && restartPolicy !== 'NotRequired') {
      const detail = "must be 'NotRequired' when `restartPolicy` is 'Never'";
      errors.push(invalid(field, restartPolicy, detail));
    }
    return errors;
  });
}

function validateCommon(
  container: Container,
  at: string,
  volumes: Volumes,
  pod: PodValidation,
): FieldError[] {
  const errors: FieldError[] = [];
  const { name, image, ports = [], env = [], envFrom = [] } = container;
  const policy: string = container.terminationMessagePolicy ?? '';
  if (name) errors.push(...invalidEach(`${at}.name`, name, dns1123LabelErrors(name)));
  else errors.push(required(`${at}.name`));
  if (!image) errors.push(required(`${at}.image`));
  if (!policy) errors.push(required(`${at}.terminationMessagePolicy`));
  else if (!messagePolicies.includes(policy)) {
    errors.push(notSupported(`${at}.terminationMessagePolicy`, policy, messagePolicies));
  }
  return [
    ...errors,
    ...validatePorts(ports, `${at}.ports`),
    ...validateEnv(env, `${at}.env`, volumes),
    ...validateEnvFrom(envFrom, `${at}.envFrom`),
    ...validateMounts(container, `${at}.volumeMounts`, volumes),
    ...validateDevices(container, `${at}.volumeDevices`, volumes),
    ...validatePullPolicy(container.imagePullPolicy ?? '', `${at}.imagePullPolicy`),
    ...validateContainerResources(container.resources, `${at}.resources`, pod.claimNames),
    ...validateResizePolicy(container, `${at}.resizePolicy`, pod),
    ...validateContainerSecurity(container.securityContext, `${at}.securityContext`, pod),
  ];
}

function validateRestartRule(rule: ContainerRestartRule, at: string): FieldError[] {
  const errors: FieldError[] = [];
  const { action = '', exitCodes } = rule;
  if (!ruleActions.includes(action)) errors.push(notSupported(`${at}.action`, action, ruleActions));
  if (!exitCodes) return [...errors, required(`${at}.exitCodes`, 'must be specified')];
  const { operator = '', values = [] } = exitCodes;
  if (!['In', 'NotIn'].includes(operator)) {
    errors.push(notSupported(`${at}.exitCodes.operator`, operator, ['In', 'NotIn']));
  }
  if (values.length > maxExitCodes) {
    errors.push(tooMany(`${at}.exitCodes.values`, values.length, maxExitCodes));
  }
  return errors;
}

function validateRestart(container: Container, at: string): FieldError[] {
  const { restartPolicy, restartPolicyRules: rules = [] } = container;
  const errors: FieldError[] = [];
  if (restartPolicy === undefined) {
    if (rules.length === 0) return [];
    errors.push(required(`${at}.restartPolicy`, 'must specify restartPolicy when restart rules are used'));
  } else if (!restartPolicies.includes(restartPolicy)) {
    errors.push(notSupported(`${at}.restartPolicy`, restartPolicy, restartPolicies));
  }
  if (rules.length > maxRules) errors.push(tooMany(`${at}.restartPolicyRules`, rules.length, maxRules));
  return [
    ...errors,
    ...rules.flatMap((rule, index) => validateRestartRule(rule, `${at}.restartPolicyRules[${index}]`)),
  ];
}

/** The regular containers; there must be one. */
export function validateContainers(
  containers: readonly Container[],
  field: string,
  volumes: Volumes,
  pod: PodValidation,
): FieldError[] {
  if (containers.length === 0) return [required(field)];
  const names = new Set<string>();
  const errors = containers.flatMap((container, index) => {
    const at = `${field}[${index}]`;
    const again = names.has(container.name);
    names.add(container.name);
    return [
      ...validateCommon(container, at, volumes, pod),
      ...(again ? [duplicate(`${at}.name`, container.name)] : []),
      ...validateHooksAndProbes(container, at, pod),
      ...validateRestart(container, at),
    ];
  });
  return [...errors, ...validateHostPorts(containers, field)];
}

function validateInitOnly(container: Container, at: string, pod: PodValidation): FieldError[] {
  if (container.restartPolicy === 'Always') return validateHooksAndProbes(container, at, pod);
  return (['lifecycle', 'livenessProbe', 'readinessProbe', 'startupProbe'] as const)
    .filter((name) => container[name])
    .map((name) =>
      forbidden(`${at}.${name}`, 'may not be set for init containers without restartPolicy=Always'),
    );
}

/** Init containers and sidecars (init containers with `restartPolicy: Always`). */
export function validateInitContainers(
  spec: PodSpec,
  field: string,
  volumes: Volumes,
  pod: PodValidation,
): FieldError[] {
  const names = new Set(spec.containers.map(({ name }) => name));
  return (spec.initContainers ?? []).flatMap((container, index) => {
    const at = `${field}[${index}]`;
    const again = names.has(container.name);
    if (container.name) names.add(container.name);
    return [
      ...validateCommon(container, at, volumes, pod),
      ...validateRestart(container, at),
      ...(again ? [duplicate(`${at}.name`, container.name)] : []),
      ...validateHostPorts([container], field),
      ...validateInitOnly(container, at, pod),
    ];
  });
}

const forbiddenInEphemeral = [
  'ports',
  'resources',
  'resizePolicy',
  'restartPolicy',
  'restartPolicyRules',
  'livenessProbe',
  'readinessProbe',
  'startupProbe',
  'lifecycle',
] as const;

function isGiven(value: unknown): boolean {
  return typeof value === 'object' && value !== null ? Object.keys(value).length > 0 : Boolean(value);
}

function validateEphemeralOnly(container: EphemeralContainer, at: string): FieldError[] {
  const refused = 'cannot be set for an Ephemeral Container';
  const errors = forbiddenInEphemeral
    .filter((name) => isGiven(container[name]))
    .map((name) => forbidden(`${at}.${name}`, refused));
  for (const [index, { subPath, subPathExpr }] of (container.volumeMounts ?? []).entries()) {
    if (subPath) errors.push(forbidden(`${at}.volumeMounts[${index}].subPath`, refused));
    if (subPathExpr) errors.push(forbidden(`${at}.volumeMounts[${index}].subPathExpr`, refused));
  }
  return errors;
}

/** An image may not be padded with blanks; checked on pods only, templates always could. */
export function validateImageBlanks(container: Pick<Container, 'image'>, at: string): FieldError[] {
  const { image = '' } = container;
  if (image === image.trim()) return [];
  return [invalid(`${at}.image`, image, 'must not have leading or trailing whitespace')];
}

/** Containers for debugging, added to a running pod. */
export function validateEphemeralContainers(
  spec: PodSpec,
  field: string,
  volumes: Volumes,
  pod: PodValidation,
): FieldError[] {
  const others = new Set([...spec.containers, ...(spec.initContainers ?? [])].map(({ name }) => name));
  const names = new Set(others);
  return (spec.ephemeralContainers ?? []).flatMap((container, index) => {
    const at = `${field}[${index}]`;
    const { name, targetContainerName: target } = container;
    const again = names.has(name);
    names.add(name);
    return [
      ...validateCommon(container, at, volumes, pod),
      ...validateImageBlanks(container, at),
      ...(again ? [duplicate(`${at}.name`, name)] : []),
      ...(target && !others.has(target) ? [notFound(`${at}.targetContainerName`, target)] : []),
      ...validateEphemeralOnly(container, at),
    ];
  });
}
