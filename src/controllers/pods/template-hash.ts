import type { PodTemplateSpec } from '../../api/core/v1.gen.ts';
import { deepEqual } from '../../reconcile/deep-equal.ts';

/** The label by which a deployment tells the pods of its replica sets apart. */
export const templateHashLabel = 'pod-template-hash';

const safeAlphabet = 'bcdfghjklmnpqrstvwxz2456789';

/** A short name for a template: FNV-1a over its canonical text and the count of collisions, in letters that spell no words. */
export function podTemplateHash(template: PodTemplateSpec, collisionCount: number | undefined): string {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(canonicalText(template) + (collisionCount ?? ''))) {
    hash = Math.imul(hash ^ byte, 0x01000193);
  }
  const digits = String(hash >>> 0).padStart(8, '0');
  return Array.from(digits, (digit) => safeAlphabet[digit.charCodeAt(0) % safeAlphabet.length]).join('');
}

/** Whether two templates are the same but for the hash label. */
export function sameTemplate(a: PodTemplateSpec | undefined, b: PodTemplateSpec | undefined): boolean {
  return deepEqual(a && withoutHash(a), b && withoutHash(b));
}

function withoutHash({ metadata, spec }: PodTemplateSpec): unknown {
  const { [templateHashLabel]: _, ...labels } = metadata?.labels ?? {};
  const { creationTimestamp: __, ...rest } = metadata ?? {};
  return { metadata: { ...rest, labels }, spec };
}

function canonicalText(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  if (Array.isArray(value)) return `[${value.map(canonicalText).join(',')}]`;
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return `{${members
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, member]) => `${key}:${canonicalText(member)}`)
    .join(',')}}`;
}
