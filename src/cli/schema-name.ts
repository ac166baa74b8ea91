import type { SchemaTable } from '../machinery/schema/schema.ts';

/** The name of a built-in kind's schema; undefined for a kind that Kubernetes itself does not have. */
export function schemaName(table: SchemaTable, apiVersion: string, kind: string): string | undefined {
  const [version = '', group = ''] = apiVersion.split('/').toReversed();
  const [folder = ''] = group.split('.');
  return [
    `io.k8s.api.${folder === '' ? 'core' : folder}.${version}.${kind}`,
    `io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.${version}.${kind}`,
    `io.k8s.kube-aggregator.pkg.apis.apiregistration.${version}.${kind}`,
  ].find((name) => {
    if (!table.has(name)) return false;
    const served = table.get(name).groupVersionKind;
    return typeof served === 'object' && served.group === group;
  });
}
