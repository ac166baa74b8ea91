import type { KubeObject } from '../../../machinery/object.ts';
import { dns1123LabelErrors } from '../../../machinery/validation/names.ts';

function warn({ metadata }: KubeObject, where: string): string[] {
  const messages = dns1123LabelErrors(metadata.name ?? '');
  if (messages.length === 0) return [];
  return [
    `metadata.name: this is used in ${where}, which can result in surprising behavior; a DNS label is recommended: [${messages.join(' ')}]`,
  ];
}

/** Upstream's warning about a workload whose name makes odd host names of its pods. */
export function podNameWarnings(object: KubeObject): string[] {
  return warn(object, 'Pod names and hostnames');
}

/** Upstream's warning about a pod whose name makes an odd host name. */
export function hostNameWarnings(object: KubeObject): string[] {
  return warn(object, "the Pod's hostname");
}
