import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Pod } from '../../api/core/v1.gen.ts';
import { parseYaml } from '../../machinery/yaml/parse-yaml.ts';
import { YamlError } from '../../machinery/yaml/yaml-error.ts';
import { isMissing } from '../missing-file.ts';

export interface PodManifest {
  readonly file: string;
  readonly pod: Pod;
}

/** The pods of a manifest, or of all in a folder (not below it, none that are hidden); what cannot be used is told. */
export async function readManifests(
  path: string,
  onProblem: (error: Error) => void,
): Promise<readonly PodManifest[]> {
  const found: PodManifest[] = [];
  for (const file of await filesOf(path)) {
    try {
      const { value } = parseYaml(await readFile(file, 'utf8'), { file });
      found.push({ file, pod: podOf(value) });
    } catch (error) {
      if (isMissing(error)) continue;
      if (!(error instanceof RangeError) && !(error instanceof YamlError)) throw error;
      onProblem(new Error(`static pod ${file}: ${error.message}`, { cause: error }));
    }
  }
  return found;
}

async function filesOf(path: string): Promise<readonly string[]> {
  try {
    if (!(await stat(path)).isDirectory()) return [path];
    const entries = await readdir(path, { withFileTypes: true });
    return entries
      .filter((entry) => !entry.isDirectory() && !basename(entry.name).startsWith('.'))
      .map((entry) => join(path, entry.name))
      .sort();
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

function podOf(value: unknown): Pod {
  const pod = value as Partial<Pod> | null;
  if (typeof pod !== 'object' || pod?.apiVersion !== 'v1' || pod.kind !== 'Pod')
    throw new RangeError('it must hold an object of apiVersion v1 and kind Pod');
  const { name } = pod.metadata ?? {};
  if (typeof name !== 'string' || !/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/.test(name))
    throw new RangeError('metadata.name must be a lower case name');
  if (!Array.isArray(pod.spec?.containers) || pod.spec.containers.length === 0)
    throw new RangeError('spec.containers must not be empty');
  return pod as Pod;
}
