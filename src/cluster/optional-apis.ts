import type { AnyResource } from '../api/resource.ts';
import { storageVersionMigrations } from '../api/storagemigration/storage-version-migrations.ts';
import { ClusterError } from './cluster-error.ts';

/** What is served only when asked for, by group and version. */
const optional: ReadonlyMap<string, readonly AnyResource[]> = new Map([
  ['storagemigration.k8s.io/v1beta1', [storageVersionMigrations]],
]);

/**
 * Reads kube-apiserver's `--runtime-config` (`storagemigration.k8s.io/v1beta1=true`, `api/beta`, `api/all`; later ones
 * count): the resources served beside the usual ones. Throws `INVALID_OPTION` for other names.
 */
export function optionalApis(settings: readonly string[]): readonly AnyResource[] {
  const served = new Set<string>();
  for (const setting of settings) {
    const [name = '', value = 'true'] = setting.split('=');
    const names = groupsOf(name);
    if (!names || (value !== 'true' && value !== 'false'))
      throw new ClusterError(
        'INVALID_OPTION',
        `--runtime-config ${JSON.stringify(setting)}: what can be switched is ${[...optional.keys()].join(', ')}, api/beta and api/all, each with =true or =false`,
      );
    for (const one of names) {
      if (value === 'true') served.add(one);
      else served.delete(one);
    }
  }
  return [...served].flatMap((name) => optional.get(name) ?? []);
}

function groupsOf(name: string): readonly string[] | undefined {
  if (name === 'api/all') return [...optional.keys()];
  if (name === 'api/beta') return [...optional.keys()].filter((key) => /\/v\d+beta\d+$/.test(key));
  return optional.has(name) ? [name] : undefined;
}
