import { type FieldError, duplicate, forbidden, invalid, required } from '../../machinery/field-error.ts';
import { dns1123SubdomainErrors, qualifiedNameErrors } from '../../machinery/validation/names.ts';
import { validateImmutable } from '../../machinery/validation/object-meta.ts';
import { invalidEach } from './pod-spec/invalid-each.ts';
import { isDualStack, validateIp } from './pod-spec/ip-address.ts';
import type { ContainerStatus, Pod, PodSpec, PodStatus } from './v1.gen.ts';

const systemConditions = new Set(['PodScheduled', 'Ready', 'Initialized']);

function mayRestart(spec: PodSpec, name: string, exitCode: number): boolean {
  if (spec.restartPolicy === 'Always') return true;
  if (exitCode !== 0 && spec.restartPolicy === 'OnFailure') return true;
  const container = [...(spec.initContainers ?? []), ...spec.containers].find((one) => one.name === name);
  if (container?.restartPolicyRules?.length) return true;
  return (
    container?.restartPolicy === 'Always' || (container?.restartPolicy === 'OnFailure' && exitCode !== 0)
  );
}

function validateTransitions(
  list: 'containerStatuses' | 'initContainerStatuses',
  next: Pod,
  old: Pod,
): FieldError[] {
  return (old.status?.[list] ?? []).flatMap((before, index) => {
    const ended = before.state?.terminated;
    if (!ended || mayRestart(old.spec, before.name, ended.exitCode)) return [];
    const after = next.status?.[list]?.find(({ name }) => name === before.name);
    if (!after || after.state?.terminated) return [];
    return [forbidden(`status.${list}[${index}].state`, 'may not be transitioned to non-terminated state')];
  });
}

function validateAddresses(ips: readonly { readonly ip: string }[], field: string): FieldError[] {
  const errors = ips.flatMap(({ ip }, index) => validateIp(ip, `${field}[${index}]`));
  if (ips.length < 2) return errors;
  const texts = ips.map(({ ip }) => ip);
  if (!isDualStack(texts)) {
    const shown = texts.map((ip) => ({ IP: ip }));
    errors.push(invalid(field, shown, 'may specify no more than one IP for each IP family'));
  }
  for (const [index, ip] of texts.entries()) {
    if (texts.indexOf(ip) < index) errors.push(duplicate(`${field}[${index}]`, { IP: ip }));
  }
  return errors;
}

function validateHostIps(status: PodStatus): FieldError[] {
  const ips = status.hostIPs ?? [];
  const [first] = ips;
  if (!first) return [];
  const uneven =
    first.ip === (status.hostIP ?? '')
      ? []
      : [invalid('status.hostIPs[0].ip', first.ip, 'must be equal to `hostIP`')];
  return [...uneven, ...validateAddresses(ips, 'status.hostIPs')];
}

function validateClaims(next: Pod): FieldError[] {
  const seen = new Set<string>();
  const known = new Set((next.spec.resourceClaims ?? []).map(({ name }) => name));
  const errors = (next.status?.resourceClaimStatuses ?? []).flatMap(({ name, resourceClaimName }, index) => {
    const field = `status.resourceClaimStatuses[${index}].name`;
    const found: FieldError[] = [];
    if (!known.has(name)) {
      found.push(invalid(field, name, 'must match the name of an entry in `spec.resourceClaims`'));
    }
    if (seen.has(name)) found.push(duplicate(field, name));
    seen.add(name);
    if (resourceClaimName === undefined) return found;
    return [...found, ...invalidEach(field, resourceClaimName, dns1123SubdomainErrors(resourceClaimName))];
  });
  const extended = next.status?.extendedResourceClaimStatus;
  if (!extended) return errors;
  const at = 'status.extendedResourceClaimStatus';
  const { resourceClaimName, requestMappings } = extended;
  errors.push(
    ...invalidEach(`${at}.resourceClaimName`, resourceClaimName, dns1123SubdomainErrors(resourceClaimName)),
  );
  if (requestMappings.length > 0) return errors;
  return [...errors, required(`${at}.requestMappings`, 'at least one request mapping is required')];
}

function validateUsers(statuses: readonly ContainerStatus[] | undefined, field: string): FieldError[] {
  return (statuses ?? []).flatMap(({ user }, index) => {
    const { uid = 0, gid = 0 } = user?.linux ?? {};
    const outside = (id: number): boolean => id < 0 || id > 2_147_483_647;
    const detail = 'must be between 0 and 2147483647, inclusive';
    return [
      ...(outside(uid) ? [invalid(`${field}[${index}].linux.uid`, uid, detail)] : []),
      ...(outside(gid) ? [invalid(`${field}[${index}].linux.gid`, gid, detail)] : []),
    ];
  });
}

/** Everything wrong with an update of a pod's status, in upstream's order. */
export function validatePodStatus(next: Pod, old: Pod): FieldError[] {
  const status: PodStatus = next.status ?? {};
  const errors = (status.conditions ?? []).flatMap(({ type }, index) =>
    systemConditions.has(type)
      ? []
      : invalidEach(`metadata.conditions[${index}].Type`, type, qualifiedNameErrors(type)),
  );
  const nominated = status.nominatedNodeName;
  if (nominated && nominated !== old.status?.nominatedNodeName) {
    errors.push(...invalidEach('status.nominatedNodeName', nominated, dns1123SubdomainErrors(nominated)));
  }
  return [
    ...errors,
    ...validateImmutable(status.qosClass, old.status?.qosClass, 'status.qosClass'),
    ...validateTransitions('containerStatuses', next, old),
    ...validateTransitions('initContainerStatuses', next, old),
    ...validateClaims(next),
    ...validateAddresses(status.podIPs ?? [], 'status.podIPs'),
    ...validateHostIps(status),
    ...validateUsers(status.containerStatuses, 'status.containerStatuses'),
    ...validateUsers(status.initContainerStatuses, 'status.initContainerStatuses'),
  ];
}
