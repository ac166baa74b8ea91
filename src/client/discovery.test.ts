import { describe, expect, it } from 'vitest';
import type { Transport } from '../machinery/transport.ts';
import { createRestMapper, discover } from './discovery.ts';

const resource = (name: string, kind: string, more: object = {}): object => ({
  name,
  kind,
  singularName: kind.toLowerCase(),
  namespaced: true,
  verbs: ['get', 'list', 'watch', 'delete'],
  ...more,
});

const documents: Readonly<Record<string, unknown>> = {
  '/apis': {
    groups: [
      { name: 'apps', versions: [{ groupVersion: 'apps/v1', version: 'v1' }] },
      { name: 'events.k8s.io', versions: [{ groupVersion: 'events.k8s.io/v1', version: 'v1' }] },
    ],
  },
  '/api/v1': {
    resources: [
      resource('pods', 'Pod', { shortNames: ['po'], categories: ['all'] }),
      resource('pods/log', 'Pod'),
      resource('events', 'Event', { shortNames: ['ev'] }),
    ],
  },
  '/apis/apps/v1': {
    resources: [resource('deployments', 'Deployment', { shortNames: ['deploy'], categories: ['all'] })],
  },
  '/apis/events.k8s.io/v1': { resources: [resource('events', 'Event', { shortNames: ['ev'] })] },
};

const transport: Transport = {
  request: () => Promise.reject(new Error('unused')),
  async *watch() {},
  raw: (path) => Promise.resolve(documents[path]),
  close: () => Promise.resolve(),
};

describe('createRestMapper', () => {
  it.each([
    ['po', '/pods'],
    ['Pod', '/pods'],
    ['pods', '/pods'],
    ['deploy.apps', 'apps/deployments'],
    ['deployments.v1.apps', 'apps/deployments'],
    ['ev', '/events'],
    ['events.events.k8s.io', 'events.k8s.io/events'],
    ['deploy.batch', undefined],
    ['nonsense', undefined],
  ])('understands %s', async (word, expected) => {
    const found = createRestMapper(await discover(transport)).byWord(word);
    expect(found && `${found.type.group}/${found.type.resource}`).toBe(expected);
  });

  it('finds kinds, categories and subresources', async () => {
    const mapper = createRestMapper(await discover(transport));
    expect([
      mapper.byKind('apps/v1', 'Deployment')?.type.resource,
      mapper.byCategory('all').map(({ type }) => type.resource),
      mapper.byWord('pods')?.subresources,
    ]).toEqual(['deployments', ['pods', 'deployments'], ['log']]);
  });
});
