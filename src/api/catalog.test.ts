import { describe, expect, it } from 'vitest';
import { kubernetesSchema } from '../machinery/schema/table.ts';
import { builtinResources } from './catalog.ts';
import { storedType } from './resource.ts';

const refuse = (): Promise<never> => Promise.reject(new Error('not asked in this test'));
const definitions = builtinResources({
  issueToken: refuse,
  apiAudiences: [],
  serviceCidr: '10.96.0.0/16',
  authenticateToken: refuse,
  authorize: refuse,
  rulesFor: refuse,
});
const rows = definitions.map((definition) => {
  const { group, resource } = storedType(definition);
  return [`${resource}.${group}`, definition] as const;
});

describe('built-in resources', () => {
  it('have distinct names', () => {
    const names = rows.map(([name]) => name);
    expect(new Set(names).size).toBe(names.length);
  });

  it.each(rows)('%s names messages of the schema', (_name, definition) => {
    const bodies = Object.values(definition.subresources ?? {}).flatMap(({ schema }) => schema ?? []);
    const messages = [...Object.values(definition.versions).map(({ schema }) => schema), ...bodies];
    expect(messages.filter((message) => !kubernetesSchema().has(message))).toEqual([]);
  });
});
