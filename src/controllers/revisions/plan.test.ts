import { describe, expect, it } from 'vitest';
import type { ControllerRevision } from '../../api/apps/v1.gen.ts';
import type { PodTemplateSpec } from '../../api/core/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import {
  holdsTemplate,
  newRevision,
  planRevision,
  surplusRevisions,
  templateOf,
  type Versioned,
} from './plan.ts';

const template = (image: string): PodTemplateSpec => ({
  metadata: { labels: { app: 'db' } },
  spec: { containers: [{ name: 'c', image }] },
});

function owner(image: string, name: string = 'db', revisionHistoryLimit: number = 2): Live<Versioned> {
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: {
      name,
      namespace: 'default',
      uid: 'u',
      resourceVersion: '1',
      creationTimestamp: '2026-01-01T00:00:00Z',
      annotations: { note: 'kept' },
    },
    spec: { template: template(image), selector: {}, revisionHistoryLimit },
  };
}

/** `image@number`; the position in a list gives the age. */
function history(...texts: readonly string[]): Live<ControllerRevision>[] {
  return texts.map((text, index) => {
    const [image = '', number] = text.split('@');
    const draft = newRevision(owner(image), {
      revision: Number(number),
      collisionCount: 0,
      hashLabel: 'hash',
    });
    const name = `db-${text}`;
    const creationTimestamp = `2026-01-01T00:00:0${index}Z`;
    return {
      ...draft,
      metadata: { ...draft.metadata, name, uid: name, resourceVersion: '1', creationTimestamp },
    };
  });
}

describe('the plan for a history', () => {
  it.each([
    ['starts with 1', [], { step: 'create', revision: 1 }],
    ['keeps the last', ['one@1', 'two@2'], { step: 'keep', newest: 'db-two@2' }],
    ['counts a new template on', ['one@1', 'three@5'], { step: 'create', revision: 6 }],
    [
      'gives an earlier template the next number',
      ['two@1', 'three@2'],
      { step: 'renumber', newest: 'db-two@1', revision: 3 },
    ],
    ['keeps the last of equal ones', ['two@1', 'one@2', 'two@3'], { step: 'keep', newest: 'db-two@3' }],
    ['keeps the younger of one number', ['one@2', 'two@2'], { step: 'keep', newest: 'db-two@2' }],
  ] as const)('%s', (_, texts, expected) => {
    const { newest, ...plan } = { newest: undefined, ...planRevision(owner('two'), history(...texts)) };
    expect({ ...plan, ...(newest && { newest: newest.metadata.name }) }).toEqual(expected);
  });
});

describe('a revision', () => {
  const options = { revision: 3, collisionCount: 0, hashLabel: 'hash' };

  it('puts the template back, and is named for it', () => {
    const revision = newRevision(owner('one'), options);
    expect(revision.data).toEqual({ spec: { template: { ...template('one'), $patch: 'replace' } } });
    expect(templateOf(revision)).toEqual(template('one'));
    expect([holdsTemplate(revision, template('one')), holdsTemplate(revision, template('two'))]).toEqual([
      true,
      false,
    ]);
    const { name, labels, annotations, ownerReferences } = revision.metadata;
    expect(name).toBe(`db-${labels?.['hash']}`);
    expect({ labels, annotations }).toMatchObject({ labels: { app: 'db' }, annotations: { note: 'kept' } });
    expect(ownerReferences).toMatchObject([{ kind: 'StatefulSet', name: 'db', uid: 'u', controller: true }]);
  });

  it('has another name after a collision, and never too long a one', () => {
    const name = (collisionCount: number, of: string): string =>
      newRevision(owner('one', of), { ...options, collisionCount }).metadata.name ?? '';
    expect(new Set([name(0, 'db'), name(1, 'db'), name(2, 'db')]).size).toBe(3);
    expect(name(0, 'x'.repeat(253)).slice(0, 224)).toBe(`${'x'.repeat(223)}-`);
  });
});

describe('revisions that may go', () => {
  it.each([
    ['none within the limit', ['a@1', 'b@2'], 'unused', '', []],
    ['the lowest beyond it', ['c@3', 'a@1', 'b@2'], 'unused', '', ['db-a@1']],
    ['not those in use', ['a@1', 'b@2', 'c@3'], 'unused', 'a', []],
    ['others instead, when those in use count', ['a@1', 'b@2', 'c@3'], 'all', 'a', ['db-b@2']],
  ] as const)('%s', (...[, texts, counted, live, expected]) => {
    const isLive = ({ metadata }: ControllerRevision): boolean =>
      live !== '' && metadata.name?.startsWith(`db-${live}@`) === true;
    const surplus = surplusRevisions(owner('x'), history(...texts), { isLive, counted });
    expect(surplus.map(({ metadata }) => metadata.name)).toEqual(expected);
  });

  it('none when the limit is negative', () => {
    const use = { isLive: () => false, counted: 'all' } as const;
    expect(surplusRevisions(owner('x', 'db', -1), history('a@1', 'b@2'), use)).toEqual([]);
  });
});
