import {
  type FieldError,
  forbidden,
  invalid,
  notSupported,
  required,
} from '../../../machinery/field-error.ts';
import { dns1123SubdomainErrors } from '../../../machinery/validation/names.ts';
import type { Container, PodSpec, WindowsSecurityContextOptions } from '../v1.gen.ts';
import { invalidEach } from './invalid-each.ts';

const netBiosName = /^[^\\/:*?"<>|.][^\\/:*?"<>|]{0,14}$/;
const dnsLabel = '[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?';
const dnsDomain = new RegExp(`^${dnsLabel}(?:\\.${dnsLabel})*$`);

function userNameProblems(name: string): string[] {
  if (name === '') return ['runAsUserName cannot be an empty string'];
  // oxlint-disable-next-line no-control-regex -- the rule is about control characters
  if (/[\u0000-\u001f\u007f]/.test(name)) return ['runAsUserName cannot contain control characters'];
  const parts = name.split('\\');
  if (parts.length > 2) return ['runAsUserName cannot contain more than one backslash'];
  const user = parts.at(-1) ?? '';
  const problems: string[] = [];
  if (parts.length === 2) {
    const [domain = ''] = parts;
    if (domain.length >= 256) problems.push("runAsUserName's Domain length must be under 256 characters");
    if (!netBiosName.test(domain) && !dnsDomain.test(domain)) {
      problems.push("runAsUserName's Domain doesn't match the NetBios nor the DNS format");
    }
  }
  if (user === '') problems.push("runAsUserName's User cannot be empty");
  else if (user.length > 104)
    problems.push("runAsUserName's User length must not be longer than 104 characters");
  if (/^[. ]+$/.test(user)) problems.push("runAsUserName's User cannot contain only periods or spaces");
  if (/["/\\:;|=,+*?<>@[\]]/.test(user)) {
    problems.push(`runAsUserName's User cannot contain the following characters: "/\\:;|=,+*?<>@[]`);
  }
  return problems;
}

/** What only containers on Windows have; checked on pods of any system. */
export function validateWindowsOptions(
  options: WindowsSecurityContextOptions | undefined,
  field: string,
): FieldError[] {
  if (!options) return [];
  const errors: FieldError[] = [];
  const { gmsaCredentialSpecName, gmsaCredentialSpec, runAsUserName } = options;
  if (gmsaCredentialSpecName !== undefined) {
    const messages = dns1123SubdomainErrors(gmsaCredentialSpecName);
    errors.push(...invalidEach(`${field}.gmsaCredentialSpecName`, gmsaCredentialSpecName, messages));
  }
  if (gmsaCredentialSpec === '') {
    errors.push(invalid(`${field}.gmsaCredentialSpec`, '', 'gmsaCredentialSpec cannot be an empty string'));
  } else if (gmsaCredentialSpec !== undefined && gmsaCredentialSpec.length > 64 * 1024) {
    const detail = 'gmsaCredentialSpec size must be under 64 KiB';
    errors.push(invalid(`${field}.gmsaCredentialSpec`, gmsaCredentialSpec, detail));
  }
  if (runAsUserName !== undefined) {
    errors.push(...invalidEach(`${field}.runAsUserName`, runAsUserName, userNameProblems(runAsUserName)));
  }
  return errors;
}

type AnyContainer = Pick<Container, 'securityContext'>;

/** All containers of a pod with their paths, in upstream's order: init, regular, ephemeral. */
export function containersWithPaths(
  spec: PodSpec,
  field: string,
): [AnyContainer & { readonly name: string }, string][] {
  return [
    ...(spec.initContainers ?? []).map((one, index): [Container, string] => [
      one,
      `${field}.initContainers[${index}]`,
    ]),
    ...spec.containers.map((one, index): [Container, string] => [one, `${field}.containers[${index}]`]),
    ...(spec.ephemeralContainers ?? []).map((one, index): [Container, string] => [
      one,
      `${field}.ephemeralContainers[${index}]`,
    ]),
  ];
}

/** All containers of a pod are host processes of Windows, or none is. */
export function validateHostProcess(spec: PodSpec, field: string): FieldError[] {
  const ofPod = spec.securityContext?.windowsOptions?.hostProcess;
  const errors: FieldError[] = [];
  const containers = containersWithPaths(spec, field);
  let hostProcesses = 0;
  for (const [container, path] of containers) {
    const own = container.securityContext?.windowsOptions?.hostProcess;
    if (ofPod !== undefined && own !== undefined && ofPod !== own) {
      const detail = `pod hostProcess value must be identical if both are specified, was ${ofPod}`;
      errors.push(invalid(`${path}.securityContext.windowsOptions.hostProcess`, own, detail));
    }
    if (own ?? ofPod) hostProcesses += 1;
  }
  if (hostProcesses === 0) return errors;
  if (hostProcesses !== containers.length) {
    const detail =
      'If pod contains any hostProcess containers then all containers must be HostProcess containers';
    errors.push(invalid(field, '', detail));
  }
  if (!spec.hostNetwork) {
    const detail = 'hostNetwork must be true if pod contains any hostProcess containers';
    errors.push(invalid(`${field}.hostNetwork`, false, detail));
  }
  return errors;
}

const podFieldsOfLinux = [
  'appArmorProfile',
  'seLinuxOptions',
  'hostUsers',
  'hostPID',
  'hostIPC',
  'seccompProfile',
  'fsGroup',
  'fsGroupChangePolicy',
  'sysctls',
  'shareProcessNamespace',
  'runAsUser',
  'runAsGroup',
  'supplementalGroups',
  'supplementalGroupsPolicy',
  'seLinuxChangePolicy',
];
const ofSpec = new Set(['hostUsers', 'hostPID', 'hostIPC', 'shareProcessNamespace']);

const containerFieldsOfLinux = [
  'appArmorProfile',
  'seLinuxOptions',
  'seccompProfile',
  'capabilities',
  'readOnlyRootFilesystem',
  'privileged',
  'allowPrivilegeEscalation',
  'procMount',
  'runAsUser',
  'runAsGroup',
];

function isSet(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 : value !== undefined && value !== null;
}

function validateForWindows(spec: PodSpec, field: string): FieldError[] {
  const inSpec: Readonly<Record<string, unknown>> = {
    hostUsers: spec.hostUsers,
    hostPID: spec.hostPID || undefined,
    hostIPC: spec.hostIPC || undefined,
    shareProcessNamespace: spec.shareProcessNamespace,
  };
  const inContext = (spec.securityContext ?? {}) as Readonly<Record<string, unknown>>;
  const errors: FieldError[] = [];
  for (const name of podFieldsOfLinux) {
    const given = ofSpec.has(name) ? inSpec[name] : inContext[name];
    const path = ofSpec.has(name) ? `${field}.${name}` : `${field}.securityContext.${name}`;
    if (isSet(given)) errors.push(forbidden(path, 'cannot be set for a windows pod'));
  }
  for (const [container, path] of containersWithPaths(spec, field)) {
    const context = (container.securityContext ?? {}) as Readonly<Record<string, unknown>>;
    for (const name of containerFieldsOfLinux) {
      if (!isSet(context[name])) continue;
      errors.push(forbidden(`${path}.securityContext.${name}`, 'cannot be set for a windows pod'));
    }
  }
  return errors;
}

function validateForLinux(spec: PodSpec, field: string): FieldError[] {
  const contexts: [{ readonly windowsOptions?: unknown } | undefined, string][] = [
    [spec.securityContext, field],
    ...containersWithPaths(spec, field).map(([one, path]): [Container['securityContext'], string] => [
      one.securityContext,
      path,
    ]),
  ];
  return contexts
    .filter(([context]) => context?.windowsOptions)
    .map(([, path]) =>
      forbidden(`${path}.securityContext.windowsOptions`, 'windows options cannot be set for a linux pod'),
    );
}

/** `spec.os`, and what may not be set on pods of that system. */
export function validateOs(spec: PodSpec, field: string): FieldError[] {
  if (!spec.os) return [];
  const { name } = spec.os;
  if (!name) return [required(`${field}.os.name`, 'cannot be empty')];
  if (name === 'linux') return validateForLinux(spec, field);
  if (name === 'windows') return validateForWindows(spec, field);
  return [notSupported(`${field}.os`, name, ['linux', 'windows'])];
}
