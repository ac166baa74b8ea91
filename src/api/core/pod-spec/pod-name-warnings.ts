import type { KubeObject } from '../../../machinery/object.ts';
import { dns1123LabelErrors } from '../../../machinery/validation/names.ts';

/** Upstream's warning about a workload whose name makes odd host names of its pods. */
export function podNameWarnings({ metadata }: KubeObject): string[] {
  const messages = dns1123LabelErrors(metadata.name ?? '');
  if (messages.length === 0) return [];
  return [
    `metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended: [${messages.join(' ')}]`,
  ];
}
