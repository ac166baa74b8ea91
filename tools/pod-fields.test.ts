import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { FieldType } from '../src/machinery/schema/schema.ts';
import { kubernetesSchema } from '../src/machinery/schema/table.ts';

const documents = resolve(import.meta.dirname, '../docs');
const text = readFileSync(join(documents, 'pods.md'), 'utf8');
const rows = [...text.matchAll(/^\| `([A-Za-z]+\.[A-Za-z0-9]+)` \| (\w+) \| (.*) \|$/gm)].map(
  ([, field = '', verdict = '', reason = '']) => ({ field, verdict, reason }),
);

/** Metadata and specifications of objects that other documents are about. */
const elsewhere = /^io\.k8s\.apimachinery|\.PersistentVolumeClaim(?:Spec|Template)$/;

function messagesOf(type: FieldType): readonly string[] {
  if (type.type === 'message') return [type.message];
  if (type.type === 'list') return messagesOf(type.items);
  return type.type === 'map' ? messagesOf(type.values) : [];
}

function fieldsOf(message: string, seen: Set<string>): readonly string[] {
  if (seen.has(message) || elsewhere.test(message)) return [];
  seen.add(message);
  const name = message.slice(message.lastIndexOf('.') + 1);
  return [...kubernetesSchema().get(message).fields].flatMap(([field, { of }]) => [
    `${name}.${field}`,
    ...messagesOf(of).flatMap((inner) => fieldsOf(inner, seen)),
  ]);
}

describe('the table of the fields of pods', () => {
  it('has a row for each field, and no other', () => {
    const fields = [...new Set(fieldsOf('io.k8s.api.core.v1.PodSpec', new Set()))];
    expect(rows.map(({ field }) => field).sort()).toEqual(fields.sort());
  });

  it('says of each what becomes of it', () => {
    const odd = rows.filter(({ verdict }) => !['honoured', 'accepted', 'refused'].includes(verdict));
    expect(odd).toEqual([]);
  });

  it('names a test that is there, and uses it, for each that is honoured', () => {
    const missing = rows.flatMap(({ field, verdict, reason }) => {
      const [, title, path] = /^\[([^\]]+)\]\(([^)]+)\)(?:$|;)/.exec(reason) ?? [];
      if (verdict !== 'honoured') return [];
      if (title === undefined || path === undefined) return [`${field}: no test`];
      const file = join(documents, path);
      const source = existsSync(file) ? readFileSync(file, 'utf8') : '';
      if (!source.includes(`'${title}'`)) return [`${field}: ${path} has no test "${title}"`];
      const word = new RegExp(`\\b${field.slice(field.indexOf('.') + 1)}\\b`);
      return word.test(source) ? [] : [`${field}: ${path} never uses it`];
    });
    expect(missing).toEqual([]);
  });
});
