import {
  type FieldError,
  duplicate,
  invalid,
  notSupported,
  required,
  tooLong,
} from '../../../machinery/field-error.ts';
import { rangeMessage } from '../../../machinery/validation/names.ts';
import type {
  AppArmorProfile,
  PodSecurityContext,
  PodSpec,
  SeccompProfile,
  SecurityContext,
} from '../v1.gen.ts';
import { invalidEach } from './invalid-each.ts';
import { descendingPathErrors } from './local-path.ts';
import type { PodValidation } from './pod-validation.ts';
import { validateWindowsOptions } from './validate-windows.ts';

const profileTypes = ['Localhost', 'RuntimeDefault', 'Unconfined'];
const maxLocalhostProfileLength = 4095;
const sysctlPattern = /^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$/;
const sysctlMessage =
  'must have at most 253 characters and match regex ^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$';

function validateIds(
  context: SecurityContext | PodSecurityContext,
  field: string,
  names: readonly string[],
): FieldError[] {
  return names.flatMap((name) => {
    const id = (context as Readonly<Record<string, unknown>>)[name];
    return typeof id === 'number' ? validateId(id, `${field}.${name}`) : [];
  });
}

function validateId(id: number, field: string): FieldError[] {
  return id >= 0 && id <= 2_147_483_647 ? [] : [invalid(field, id, rangeMessage(0, 2_147_483_647))];
}

function validateSeccomp(profile: SeccompProfile | undefined, field: string): FieldError[] {
  if (!profile) return [];
  const type: string = profile.type ?? '';
  const errors: FieldError[] = [];
  if (!type) errors.push(required(`${field}.type`, 'type is required when seccompProfile is set'));
  else if (!profileTypes.includes(type)) errors.push(notSupported(`${field}.type`, type, profileTypes));
  const file = profile.localhostProfile;
  if (type === 'Localhost') {
    if (file === undefined) {
      errors.push(required(`${field}.localhostProfile`, 'must be set when seccomp type is Localhost'));
    } else errors.push(...descendingPathErrors(`${field}.localhostProfile`, file));
  } else if (file !== undefined) {
    const shown = { Type: type, LocalhostProfile: file };
    errors.push(
      invalid(`${field}.localhostProfile`, shown, 'can only be set when seccomp type is Localhost'),
    );
  }
  return errors;
}

function validateAppArmor(profile: AppArmorProfile | undefined, field: string): FieldError[] {
  if (!profile) return [];
  const type: string = profile.type ?? '';
  const file = profile.localhostProfile;
  const at = `${field}.localhostProfile`;
  const missing = required(at, 'must be set when AppArmor type is Localhost');
  if (type === 'Localhost') {
    if (file === undefined) return [missing];
    const errors: FieldError[] = [];
    if (file.trim() !== file) errors.push(invalid(at, file, 'must not be padded with whitespace'));
    else if (file === '') errors.push(missing);
    if (file.length > maxLocalhostProfileLength) errors.push(tooLong(at, maxLocalhostProfileLength));
    return errors;
  }
  if (!type) return [required(`${field}.type`, 'type is required when appArmorProfile is set')];
  if (!profileTypes.includes(type)) return [notSupported(`${field}.type`, type, profileTypes)];
  if (file === undefined) return [];
  return [invalid(at, file, 'can only be set when AppArmor type is Localhost')];
}

/** The context as Go's validation prints it, every field by its Go name. */
function printedContext(context: SecurityContext): unknown {
  const { capabilities } = context;
  const value = (given: unknown): unknown => given ?? null;
  return {
    Capabilities: capabilities ? { Add: value(capabilities.add), Drop: value(capabilities.drop) } : null,
    Privileged: value(context.privileged),
    SELinuxOptions: value(context.seLinuxOptions),
    WindowsOptions: value(context.windowsOptions),
    RunAsUser: value(context.runAsUser),
    RunAsGroup: value(context.runAsGroup),
    RunAsNonRoot: value(context.runAsNonRoot),
    ReadOnlyRootFilesystem: value(context.readOnlyRootFilesystem),
    AllowPrivilegeEscalation: value(context.allowPrivilegeEscalation),
    ProcMount: value(context.procMount),
    SeccompProfile: value(context.seccompProfile),
    AppArmorProfile: value(context.appArmorProfile),
  };
}

function validateEscalation(context: SecurityContext, field: string): FieldError[] {
  if (context.allowPrivilegeEscalation !== false) return [];
  const errors: FieldError[] = [];
  const refuse = (what: string): void => {
    const detail = `cannot set \`allowPrivilegeEscalation\` to false and ${what}`;
    errors.push(invalid(field, printedContext(context), detail));
  };
  if (context.privileged) refuse('`privileged` to true');
  for (const capability of context.capabilities?.add ?? []) {
    if (capability === 'CAP_SYS_ADMIN') refuse('`capabilities.Add` CAP_SYS_ADMIN');
  }
  return errors;
}

/** The security context of a container. */
export function validateContainerSecurity(
  context: SecurityContext | undefined,
  field: string,
  { hostUsers }: PodValidation,
): FieldError[] {
  if (!context) return [];
  const errors = validateIds(context, field, ['runAsUser', 'runAsGroup']);
  const procMount: string | undefined = context.procMount;
  if (procMount !== undefined) {
    if (!['Default', 'Unmasked'].includes(procMount)) {
      errors.push(notSupported(`${field}.procMount`, procMount, ['Default', 'Unmasked']));
    }
    if (hostUsers && procMount === 'Unmasked') {
      errors.push(invalid(`${field}.procMount`, procMount, '`hostUsers` must be false to use `Unmasked`'));
    }
  }
  return [
    ...errors,
    ...validateSeccomp(context.seccompProfile, `${field}.seccompProfile`),
    ...validateEscalation(context, field),
    ...validateWindowsOptions(context.windowsOptions, `${field}.windowsOptions`),
    ...validateAppArmor(context.appArmorProfile, `${field}.appArmorProfile`),
  ];
}

function hostNamespaceError(name: string, field: string, spec: PodSpec): FieldError[] {
  const plain = name.replaceAll('/', '.');
  if (spec.hostNetwork && plain.startsWith('net.')) {
    return [invalid(field, name, "may not be specified when 'hostNetwork' is true")];
  }
  const ipc = /^(kernel\.(shm|msg|sem)|fs\.mqueue\.)/.test(plain);
  if (spec.hostIPC && ipc) return [invalid(field, name, "may not be specified when 'hostIPC' is true")];
  return [];
}

function validateSysctls(spec: PodSpec, field: string): FieldError[] {
  const seen = new Set<string>();
  return (spec.securityContext?.sysctls ?? []).flatMap(({ name }, index) => {
    const at = `${field}[${index}].name`;
    const errors: FieldError[] = [];
    if (!name) errors.push(required(at));
    else if (name.length > 253 || !sysctlPattern.test(name)) errors.push(invalid(at, name, sysctlMessage));
    else if (seen.has(name)) errors.push(duplicate(at, name));
    seen.add(name);
    return [...errors, ...hostNamespaceError(name, at, spec)];
  });
}

function validateChoice(
  value: string | undefined,
  field: string,
  supported: readonly string[],
): FieldError[] {
  return value === undefined || supported.includes(value) ? [] : [notSupported(field, value, supported)];
}

/** The security context of the pod. */
export function validatePodSecurity(spec: PodSpec, field: string): FieldError[] {
  const context = spec.securityContext;
  if (!context) return [];
  const errors = validateIds(context, field, ['fsGroup', 'runAsUser', 'runAsGroup']);
  for (const [index, group] of (context.supplementalGroups ?? []).entries()) {
    errors.push(...validateId(group, `${field}.supplementalGroups[${index}]`));
  }
  if (spec.shareProcessNamespace && spec.hostPID) {
    const detail = 'ShareProcessNamespace and HostPID cannot both be enabled';
    errors.push(...invalidEach(`${field}.shareProcessNamespace`, true, [detail]));
  }
  return [
    ...errors,
    ...validateSysctls(spec, `${field}.sysctls`),
    ...validateChoice(context.fsGroupChangePolicy, `${field}.fsGroupChangePolicy`, [
      'Always',
      'OnRootMismatch',
    ]),
    ...validateSeccomp(context.seccompProfile, `${field}.seccompProfile`),
    ...validateWindowsOptions(context.windowsOptions, `${field}.windowsOptions`),
    ...validateAppArmor(context.appArmorProfile, `${field}.appArmorProfile`),
    ...validateChoice(context.supplementalGroupsPolicy, `${field}.supplementalGroupsPolicy`, [
      'Merge',
      'Strict',
    ]),
    ...validateChoice(context.seLinuxChangePolicy, `${field}.seLinuxChangePolicy`, [
      'MountOption',
      'Recursive',
    ]),
  ];
}
