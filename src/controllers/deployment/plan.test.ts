import { describe, expect, it } from 'vitest';
import type { Deployment, ReplicaSet, ReplicaSetStatus } from '../../api/apps/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import { generationsOf, planStep, type DeploymentObservation } from './plan.ts';
import { refusedStatus, rolloutStatus } from './status.ts';
import { podTemplateHash, sameTemplate } from '../pods/template-hash.ts';

const now = Date.UTC(2026, 0, 1, 12);
const created = '2026-01-01T11:00:00Z';

function template(image: string): Deployment['spec']['template'] {
  return { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'c', image }] } };
}

function deployment(spec: Partial<Deployment['spec']> = {}, status?: Deployment['status']): Live<Deployment> {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {
      name: 'web',
      namespace: 'default',
      uid: 'd',
      resourceVersion: '1',
      creationTimestamp: created,
      generation: 1,
    },
    spec: {
      replicas: 4,
      selector: { matchLabels: { app: 'web' } },
      template: template('v2'),
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 1 } },
      ...spec,
    },
    ...(status && { status }),
  };
}

interface SetFacts {
  readonly image: string;
  readonly size: number;
  readonly available?: number;
  readonly revision?: number;
  readonly revisionText?: string;
  readonly desired?: number;
  readonly age?: number;
}

function replicaSet({
  image,
  size,
  available = size,
  revision = 1,
  revisionText = String(revision),
  desired = 4,
  age = 0,
}: SetFacts): Live<ReplicaSet> {
  const status: ReplicaSetStatus = {
    replicas: size,
    readyReplicas: available,
    availableReplicas: available,
    observedGeneration: 1,
  };
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name: `web-${image}`,
      namespace: 'default',
      uid: image,
      resourceVersion: '1',
      creationTimestamp: new Date(Date.parse(created) - age * 1000).toISOString(),
      generation: 1,
      annotations: {
        'deployment.kubernetes.io/revision': revisionText,
        'deployment.kubernetes.io/desired-replicas': String(desired),
        'deployment.kubernetes.io/max-replicas': String(desired + 1),
      },
    },
    spec: { replicas: size, minReadySeconds: 0, selector: {}, template: template(image) },
    status,
  };
}

function observe(deployment: Live<Deployment>, ...sets: SetFacts[]): DeploymentObservation {
  return { deployment, replicaSets: sets.map(replicaSet), podsOf: () => [], now };
}

/** The step in a few words: `scale web-v1 3`. */
function step(observation: DeploymentObservation): string {
  const next = planStep(observation);
  switch (next.step) {
    case 'create':
      return `create ${next.replicaSet.spec.replicas} at revision ${next.replicaSet.metadata.annotations?.['deployment.kubernetes.io/revision']}`;
    case 'update':
      return `update ${next.replicaSet.metadata.name}`;
    case 'scale':
      return `scale ${next.scalings.map(({ replicaSet, replicas }) => `${replicaSet.metadata.name} ${replicas}`).join(', ')}`;
    case 'clean':
      return `clean ${next.remove.map(({ metadata }) => metadata.name).join(', ')}`;
    case 'rollback': {
      const { deployment: rolled, event } = next.rollback;
      return `${event.reason} to ${rolled.spec.template.spec.containers[0]?.image}`;
    }
    default:
      return 'wait';
  }
}

const v1 = (facts: Omit<SetFacts, 'image'>): SetFacts => ({ image: 'v1', age: 60, ...facts });
const v2 = (facts: Omit<SetFacts, 'image'>): SetFacts => ({ image: 'v2', revision: 2, ...facts });

/** A deployment that asks for a revision. */
function asking(revision: string): Live<Deployment> {
  const { metadata, ...rest } = deployment();
  const annotations = { 'deprecated.deployment.rollback.to': revision };
  return { ...rest, metadata: { ...metadata, annotations } };
}

describe('planStep', () => {
  it.each<[string, DeploymentObservation, string]>([
    ['creates the first replica set at full size', observe(deployment()), 'create 4 at revision 1'],
    [
      'creates the next one within the surge',
      observe(deployment(), v1({ size: 4 })),
      'create 1 at revision 2',
    ],
    [
      'shrinks the old one as availability allows',
      observe(deployment(), v1({ size: 4 }), v2({ size: 1, available: 0 })),
      'scale web-v1 3',
    ],
    [
      'grows the new one into the room made',
      observe(deployment(), v1({ size: 3 }), v2({ size: 1, available: 0 })),
      'scale web-v2 2',
    ],
    [
      'waits while the new pods are not available',
      observe(deployment(), v1({ size: 3 }), v2({ size: 2, available: 0 })),
      'wait',
    ],
    [
      'drops unavailable old pods first',
      observe(deployment(), v1({ size: 4, available: 1 }), v2({ size: 1, available: 1 })),
      'scale web-v1 2',
    ],
    [
      'goes back to an earlier template at the next revision',
      observe(deployment({ template: template('v1') }), v1({ size: 0 }), v2({ size: 4 })),
      'update web-v1',
    ],
    [
      'takes an earlier revision that is asked for',
      observe(asking('1'), v1({ size: 0 }), v2({ size: 4 })),
      'DeploymentRollback to v1',
    ],
    [
      'takes the last revision when asked for 0',
      observe(asking('0'), v1({ size: 0 }), v2({ size: 4 })),
      'DeploymentRollback to v1',
    ],
    [
      'keeps its template when the revision asked for is not there',
      observe(asking('7'), v1({ size: 0 }), v2({ size: 4 })),
      'DeploymentRollbackRevisionNotFound to v2',
    ],
    [
      'keeps its template when there is no earlier one',
      observe(asking('0'), v2({ size: 4 })),
      'DeploymentRollbackRevisionNotFound to v2',
    ],
    [
      'keeps its template when it is the one asked for',
      observe(asking('2'), v1({ size: 0 }), v2({ size: 4 })),
      'DeploymentRollbackTemplateUnchanged to v2',
    ],
    [
      'counts on from revisions beyond what a number holds',
      observe(deployment(), { ...v1({ size: 4 }), revisionText: '3546343826724305832' }),
      'create 1 at revision 3546343826724305833',
    ],
    ['does nothing to a finished rollout', observe(deployment(), v1({ size: 0 }), v2({ size: 4 })), 'wait'],
    [
      'drops old replica sets beyond the history limit',
      observe(
        deployment({ revisionHistoryLimit: 0 }, { observedGeneration: 1 }),
        v1({ size: 0 }),
        v2({ size: 4 }),
      ),
      'clean web-v1',
    ],
    [
      'scales the only active set with the deployment',
      observe(deployment({ replicas: 6 }), v1({ size: 0 }), v2({ size: 4 })),
      'scale web-v2 6',
    ],
    [
      'shares a new size in the middle of a rollout',
      observe(deployment({ replicas: 8 }), v1({ size: 3 }), v2({ size: 2, available: 1 })),
      'scale web-v1 5, web-v2 4',
    ],
    [
      'stops every old pod before a Recreate',
      observe(deployment({ strategy: { type: 'Recreate' } }), v1({ size: 4 })),
      'scale web-v1 0',
    ],
    [
      'starts a Recreate when they are gone',
      observe(deployment({ strategy: { type: 'Recreate' } }), v1({ size: 0 })),
      'create 4 at revision 2',
    ],
    ['creates nothing while paused', observe(deployment({ paused: true }), v1({ size: 4 })), 'wait'],
    [
      'scales while paused',
      observe(deployment({ paused: true, replicas: 5 }), v1({ size: 4 })),
      'scale web-v1 5',
    ],
  ])('%s', (_, observation, expected) => {
    expect(step(observation)).toBe(expected);
  });

  it('remembers the revisions of a replica set that is used again', () => {
    const next = planStep(
      observe(deployment({ template: template('v1') }), v1({ size: 0 }), v2({ size: 4 })),
    );
    expect(next.step === 'update' && next.replicaSet.metadata.annotations).toMatchObject({
      'deployment.kubernetes.io/revision': '3',
      'deployment.kubernetes.io/revision-history': '1',
    });
  });
});

describe('rolloutStatus', () => {
  function conditions(observation: DeploymentObservation): string[] {
    const status = rolloutStatus(observation, generationsOf(observation));
    return (status.conditions ?? []).map(({ type, status, reason }) => `${type}=${status} ${reason}`);
  }
  const progressing = (reason: string, lastUpdateTime: string): Deployment['status'] => ({
    observedGeneration: 1,
    replicas: 5,
    updatedReplicas: 1,
    readyReplicas: 4,
    availableReplicas: 4,
    conditions: [
      { type: 'Progressing', status: 'True', reason, lastUpdateTime, lastTransitionTime: lastUpdateTime },
    ],
  });

  it.each<[string, DeploymentObservation, string[]]>([
    [
      'complete',
      observe(deployment(), v2({ size: 4 })),
      ['Available=True MinimumReplicasAvailable', 'Progressing=True NewReplicaSetAvailable'],
    ],
    [
      'under way',
      observe(deployment(), v1({ size: 3 }), v2({ size: 2, available: 0 })),
      ['Available=True MinimumReplicasAvailable', 'Progressing=True ReplicaSetUpdated'],
    ],
    [
      'out of time',
      observe(
        deployment({ progressDeadlineSeconds: 60 }, progressing('ReplicaSetUpdated', '2026-01-01T11:00:00Z')),
        v1({ size: 4 }),
        v2({ size: 1, available: 0 }),
      ),
      ['Available=True MinimumReplicasAvailable', 'Progressing=False ProgressDeadlineExceeded'],
    ],
    [
      'short of pods',
      observe(deployment(), v2({ size: 4, available: 2 })),
      ['Available=False MinimumReplicasUnavailable', 'Progressing=True ReplicaSetUpdated'],
    ],
    [
      'paused',
      observe(
        deployment({ paused: true }, progressing('ReplicaSetUpdated', '2026-01-01T11:59:00Z')),
        v2({ size: 4 }),
      ),
      ['Available=True MinimumReplicasAvailable', 'Progressing=Unknown DeploymentPaused'],
    ],
  ])('tells of a rollout that is %s', (_, observation, expected) => {
    expect(conditions(observation).sort()).toEqual(expected);
  });
});

describe('podTemplateHash', () => {
  it('depends on the content only, and on the count of collisions', () => {
    const a = podTemplateHash({ spec: { containers: [{ name: 'c', image: 'i' }] } }, undefined);
    const b = podTemplateHash({ spec: { containers: [{ image: 'i', name: 'c' }] } }, undefined);
    const c = podTemplateHash({ spec: { containers: [{ image: 'i', name: 'c' }] } }, 1);
    expect([a === b, a === c, /^[bcdfghjklmnpqrstvwxz2456789]{8,10}$/.test(a)]).toEqual([true, false, true]);
  });

  it('is left out when templates are compared', () => {
    const hashed = { ...template('v1'), metadata: { labels: { app: 'web', 'pod-template-hash': 'x' } } };
    expect([sameTemplate(hashed, template('v1')), sameTemplate(hashed, template('v2'))]).toEqual([
      true,
      false,
    ]);
  });
});

it('a refused replica set stops the progress, said once', () => {
  const first = refusedStatus(deployment(), 'Failed to create', now);
  expect(first.conditions).toMatchObject([
    { type: 'Progressing', status: 'False', reason: 'ReplicaSetCreateError', message: 'Failed to create' },
  ]);
  expect(refusedStatus(deployment({}, first), 'Failed to create', now + 5000)).toEqual(first);
  expect(refusedStatus(deployment({ progressDeadlineSeconds: 2_147_483_647 }), 'x', now)).toEqual({});
});
