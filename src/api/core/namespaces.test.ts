import { describe, expect, it } from 'vitest';
import { mutableCopy } from '../../machinery/mutable-copy.ts';
import type { Live } from '../../machinery/object.ts';
import type { StrategyContext } from '../resource.ts';
import { namespaces } from './namespaces.ts';
import type { Namespace } from './v1.gen.ts';

const context: StrategyContext = {
  user: { name: 'admin', groups: [] },
  now: 0,
  dryRun: false,
  server: {
    request: async () => undefined,
    async *watch() {},
    raw: async () => undefined,
    close: async () => {},
  },
};

const active: Live<Namespace> = {
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name: 'n', uid: 'u', resourceVersion: '1', creationTimestamp: '', labels: { team: 'a' } },
  spec: { finalizers: ['kubernetes'] },
  status: { phase: 'Active' },
};

describe('namespaces', () => {
  it('start active, labelled with their name, held by their contents', () => {
    const created = mutableCopy<Namespace>({
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'n', labels: { 'kubernetes.io/metadata.name': 'other' } },
      spec: {},
      status: { phase: 'Terminating' },
    });
    namespaces.prepareForCreate?.(created, context);
    expect(created).toMatchObject({
      metadata: { labels: { 'kubernetes.io/metadata.name': 'n' } },
      spec: { finalizers: ['kubernetes'] },
      status: { phase: 'Active' },
    });
  });

  it('keep spec and status in an update', () => {
    const next = mutableCopy<Namespace>({
      ...active,
      spec: { finalizers: [] },
      status: { phase: 'Terminating' },
    });
    namespaces.prepareForUpdate?.(next, active, context);
    expect(next).toMatchObject({ spec: active.spec, status: active.status });
  });

  it('give up finalizers through their own subresource only', () => {
    const next = mutableCopy<Namespace>({
      ...active,
      spec: { finalizers: [] },
      status: { phase: 'Terminating' },
    });
    namespaces.subresources?.['finalize']?.merge?.(next, active, context);
    expect(next).toMatchObject({ spec: { finalizers: [] }, status: active.status });
    expect(namespaces.hasSpecFinalizers?.(next)).toBe(false);
  });

  it('terminate when deleted', () => {
    const deleted = mutableCopy<Namespace>(active);
    expect(namespaces.gracefulDelete?.(deleted, undefined, context)).toBe(0);
    expect(deleted.status).toEqual({ phase: 'Terminating' });
  });

  it.each<[string, Namespace, string[]]>([
    ['active', active, []],
    [
      'active while it is deleted',
      { ...active, metadata: { deletionTimestamp: 't' } },
      [
        'status.phase: Invalid value: "Active": may only be \'Terminating\' if `deletionTimestamp` is not empty',
      ],
    ],
    [
      'terminating although it stays',
      { ...active, status: { phase: 'Terminating' } },
      ['status.phase: Invalid value: "Terminating": may only be \'Active\' if `deletionTimestamp` is empty'],
    ],
  ])('validate status: %s', (_name, next, errors) => {
    expect(
      namespaces.status?.validate?.(next, active).map(({ field, message }) => `${field}: ${message}`),
    ).toEqual(errors);
  });

  it('have labels for names', () => {
    expect(namespaces.validateName?.('a.b', { prefix: false })).toEqual(['must not contain dots']);
  });
});
