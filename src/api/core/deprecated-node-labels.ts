const deprecatedLabels: Readonly<Record<string, readonly [since: string, instead: string]>> = {
  'beta.kubernetes.io/arch': ['v1.14', 'kubernetes.io/arch'],
  'beta.kubernetes.io/os': ['v1.14', 'kubernetes.io/os'],
  'failure-domain.beta.kubernetes.io/region': ['v1.17', 'topology.kubernetes.io/region'],
  'failure-domain.beta.kubernetes.io/zone': ['v1.17', 'topology.kubernetes.io/zone'],
  'beta.kubernetes.io/instance-type': ['v1.17', 'node.kubernetes.io/instance-type'],
};

/** `deprecated since v1.14; use "kubernetes.io/os" instead`, or undefined for labels of nodes that are still meant to be used. */
export function deprecatedNodeLabel(key: string): string | undefined {
  const found = Object.hasOwn(deprecatedLabels, key) ? deprecatedLabels[key] : undefined;
  return found && `deprecated since ${found[0]}; use ${JSON.stringify(found[1])} instead`;
}

/** Upstream's warning of a deprecated label that something selects nodes by; none for others. */
export function warnOfNodeLabel(key: string, field: string): string[] {
  const detail = deprecatedNodeLabel(key);
  return detail === undefined ? [] : [`${field}: ${key} is ${detail}`];
}
