import { isDeepStrictEqual } from 'node:util';
import { type FieldError, duplicate, forbidden, invalid, required } from '../../machinery/field-error.ts';
import { labelValueErrors, qualifiedNameErrors } from '../../machinery/validation/names.ts';
import { validateStrictCidr } from '../validation/cidr.ts';
import { invalidEach } from './pod-spec/invalid-each.ts';
import { isDualStack } from './pod-spec/ip-address.ts';
import { validateQuantity } from './pod-spec/validate-resources.ts';
import { validateTaintEffect } from './pod-spec/validate-scheduling.ts';
import type { Node, Taint } from './v1.gen.ts';

function printedTaint(taint: Taint): unknown {
  return {
    Key: taint.key,
    Value: taint.value ?? '',
    Effect: taint.effect,
    TimeAdded: taint.timeAdded ?? null,
  };
}

function validateTaints(taints: readonly Taint[]): FieldError[] {
  const seen = new Set<string>();
  return taints.flatMap((taint, index) => {
    const at = `metadata.taints[${index}]`;
    const { key, value = '' } = taint;
    const effect: string = taint.effect ?? '';
    const values = labelValueErrors(value);
    const errors = invalidEach(`${at}.key`, key, qualifiedNameErrors(key));
    if (values.length > 0) errors.push(invalid(`${at}.value`, value, values.join(';')));
    if (effect) errors.push(...validateTaintEffect(effect, `${at}.effect`));
    else errors.push(required(`${at}.effect`));
    if (seen.has(`${effect}/${key}`)) {
      const error = duplicate(at, printedTaint(taint));
      errors.push({ ...error, message: `${error.message}: taints must be unique by key and effect pair` });
    }
    seen.add(`${effect}/${key}`);
    return errors;
  });
}

function validateResources({ status }: Node): FieldError[] {
  return (['capacity', 'allocatable'] as const).flatMap((list) =>
    Object.entries(status?.[list] ?? {}).flatMap(([name, value]) =>
      validateQuantity(name, value, `status.${list}.${name}`),
    ),
  );
}

function validatePodRanges({ spec }: Node): FieldError[] {
  const ranges = spec.podCIDRs ?? [];
  const errors = ranges.flatMap((range, index) => validateStrictCidr(range, `spec.podCIDRs[${index}]`));
  if (ranges.length < 2) return errors;
  if (!isDualStack(ranges)) {
    errors.push(invalid('spec.podCIDRs', ranges, 'may specify no more than one CIDR for each IP family'));
  }
  for (const [index, range] of ranges.entries()) {
    if (ranges.indexOf(range) < index) errors.push(duplicate(`spec.podCIDRs[${index}]`, range));
  }
  return errors;
}

/** Everything wrong with a node to create, in upstream's order. */
export function validateNode(node: Node): FieldError[] {
  return [...validateTaints(node.spec.taints ?? []), ...validateResources(node), ...validatePodRanges(node)];
}

function validateAddresses({ status }: Node): FieldError[] {
  const seen = new Set<string>();
  return (status?.addresses ?? []).flatMap(({ type, address }, index) => {
    const key = `${type}/${address}`;
    const again = seen.has(key);
    seen.add(key);
    return again ? [duplicate(`status.addresses[${index}]`, { Type: type, Address: address })] : [];
  });
}

function validateFeatures({ status }: Node): FieldError[] {
  const features = status?.declaredFeatures ?? [];
  return features.flatMap((feature, index) => {
    const before = features[index - 1];
    const at = `status.declaredFeatures[${index}]`;
    if (before === undefined || before < feature) return [];
    return before === feature
      ? [duplicate(at, feature)]
      : [invalid(at, feature, 'list must be sorted alphabetically')];
  });
}

/** Everything wrong with an update of a node, of its spec or its status. */
export function validateNodeUpdate(next: Node, old: Node): FieldError[] {
  const errors = [...validateResources(next), ...validateAddresses(next), ...validateFeatures(next)];
  const hadRanges = (old.spec.podCIDRs ?? []).length > 0;
  if (hadRanges && !isDeepStrictEqual(old.spec.podCIDRs, next.spec.podCIDRs)) {
    const detail = 'node updates may not change podCIDR except from "" to valid';
    errors.push(forbidden('spec.podCIDRs', detail));
  }
  if (old.spec.providerID && old.spec.providerID !== next.spec.providerID) {
    const detail = 'node updates may not change providerID except from "" to valid';
    errors.push(forbidden('spec.providerID', detail));
  }
  errors.push(...validateTaints(next.spec.taints ?? []));
  if ((next.spec.externalID ?? '') !== (old.spec.externalID ?? '')) {
    errors.push(forbidden('spec.externalID', 'may not be updated'));
  }
  return errors;
}
