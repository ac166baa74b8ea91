/** The name of a cluster's context, cluster and user in kubeconfig files: `kanoe`, and `kanoe-NAME` for other names. */
export function contextName(name: string): string {
  return name === 'kanoe' ? 'kanoe' : `kanoe-${name}`;
}
