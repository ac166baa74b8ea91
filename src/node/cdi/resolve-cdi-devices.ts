import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { RuntimeError, type CdiDevices } from '../container-runtime.ts';
import { isMissing } from '../missing-file.ts';
import { editsProblem, joinEdits, type CdiEdits, type CdiSpec } from './cdi-spec.ts';

/** A device, and what its file says. */
interface FoundDevice {
  readonly spec: CdiSpec;
  readonly edits: CdiEdits;
  /** Of the folder: the highest counts. */
  readonly priority: number;
}

/**
 * What containers with these devices get, by the files that are in the folders now. Throws `RuntimeError` in the words of the
 * CDI library when there is no such device, or more than one.
 */
export async function resolveCdiDevices({ names, folders }: CdiDevices): Promise<CdiEdits> {
  const found = new Map<string, FoundDevice>();
  const conflicts = new Set<string>();
  const broken: string[] = [];
  for (const [priority, folder] of folders.entries()) {
    for (const spec of await specsIn(folder, (problem) => broken.push(problem))) {
      for (const { name, containerEdits: edits } of spec.devices) {
        const qualified = `${spec.kind}=${name}`;
        if (found.get(qualified)?.priority === priority) conflicts.add(qualified);
        found.set(qualified, { spec, edits, priority });
      }
    }
  }
  const missing = names.filter((name) => !found.has(name) || conflicts.has(name));
  if (missing.length > 0) {
    const why = broken.length > 0 ? ` (${broken.join('; ')})` : '';
    throw failed(`unresolvable CDI devices ${missing.join(', ')}${why}`);
  }
  const used = names.flatMap((name) => found.get(name) ?? []);
  const edits = joinEdits(
    used.flatMap(({ spec, edits: own }, index) => {
      const first = used.findIndex((other) => other.spec === spec) === index;
      return first && spec.containerEdits ? [spec.containerEdits, own] : [own];
    }),
  );
  const problem = used
    .flatMap((one) => [one.spec.containerEdits ?? {}, one.edits])
    .map(editsProblem)
    .find((one) => one !== undefined);
  if (problem !== undefined) throw failed(`failed to inject devices: invalid container edits: ${problem}`);
  return edits;
}

async function specsIn(folder: string, onBroken: (problem: string) => void): Promise<readonly CdiSpec[]> {
  const names = await readdir(folder).catch((error: unknown) => {
    if (!isMissing(error)) onBroken(`failed to read ${folder}: ${String(error)}`);
    return [];
  });
  const found: CdiSpec[] = [];
  for (const name of names.filter((one) => /\.(json|yaml)$/.test(one)).toSorted()) {
    const file = join(folder, name);
    try {
      found.push(await readSpec(file));
    } catch (error) {
      if (!isMissing(error)) onBroken(`failed to load CDI Spec ${file}: ${String(error)}`);
    }
  }
  return found;
}

async function readSpec(file: string): Promise<CdiSpec> {
  const text = await readFile(file, 'utf8');
  const value: unknown = file.endsWith('.json') ? JSON.parse(text) : (await import('js-yaml')).load(text);
  const spec = value as Partial<CdiSpec> | null;
  const { cdiVersion, kind, devices, containerEdits } = spec ?? {};
  if (typeof cdiVersion !== 'string') throw new Error('cdiVersion is missing');
  if (typeof kind !== 'string' || !/^[a-zA-Z][\w.-]*\/[\w.-]+$/.test(kind))
    throw new Error(`invalid kind ${kind}`);
  if (!Array.isArray(devices) || devices.length === 0) throw new Error('no devices');
  for (const { name, containerEdits: edits } of devices)
    if (!name || typeof edits !== 'object') throw new Error('a device has no name or no containerEdits');
  return { cdiVersion, kind, devices, ...(containerEdits && { containerEdits }) };
}

function failed(message: string): RuntimeError {
  return new RuntimeError('FAILED', `CDI device injection failed: ${message}`);
}
