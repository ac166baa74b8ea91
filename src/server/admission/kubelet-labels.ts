const ownLabels = new Set([
  'beta.kubernetes.io/arch',
  'beta.kubernetes.io/instance-type',
  'beta.kubernetes.io/os',
  'failure-domain.beta.kubernetes.io/region',
  'failure-domain.beta.kubernetes.io/zone',
  'kubernetes.io/arch',
  'kubernetes.io/hostname',
  'kubernetes.io/os',
  'node.kubernetes.io/instance-type',
  'topology.kubernetes.io/region',
  'topology.kubernetes.io/zone',
]);

/**
 * Whether a node may set this label of itself: any but those of Kubernetes' own domains, of which it may set those that kubelets
 * report.
 */
export function isKubeletLabel(label: string): boolean {
  const slash = label.indexOf('/');
  const domain = slash < 0 ? '' : label.slice(0, slash);
  if (within(domain, 'node-restriction.kubernetes.io')) return false;
  if (!within(domain, 'kubernetes.io') && !within(domain, 'k8s.io')) return true;
  return (
    ownLabels.has(label) || within(domain, 'kubelet.kubernetes.io') || within(domain, 'node.kubernetes.io')
  );
}

function within(domain: string, parent: string): boolean {
  return domain === parent || domain.endsWith(`.${parent}`);
}
