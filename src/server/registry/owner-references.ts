import type { ObjectMeta } from '../../machinery/meta/v1.gen.ts';
import type { DeepMutable } from '../../machinery/object.ts';
import { jsonEqual } from '../../machinery/patch/json-value.ts';

/** Drops owner references that are there twice. Returns upstream's warning, if there were any. */
export function dedupOwnerReferences(metadata: DeepMutable<ObjectMeta>): string | undefined {
  const references = metadata.ownerReferences ?? [];
  const kept = references.filter(
    (one, index) => references.findIndex((other) => jsonEqual(one, other)) === index,
  );
  if (kept.length === references.length) return undefined;
  const repeated = references.filter(
    (one, index) => references.findIndex((other) => jsonEqual(one, other)) !== index,
  );
  metadata.ownerReferences = kept;
  const uids = [...new Set(repeated.map(({ uid }) => uid))].join(', ');
  return `.metadata.ownerReferences contains duplicate entries; API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: ${uids}`;
}
