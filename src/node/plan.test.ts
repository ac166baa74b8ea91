import { describe, expect, it } from 'vitest';
import type { Container, Pod, PodSpec } from '../api/core/v1.gen.ts';
import { historiesOf } from './container-history.ts';
import type { ContainerStatus } from './container-runtime.ts';
import { planPod, type Step } from './plan.ts';

const container = (name: string, more: Partial<Container> = {}): Container => ({ name, image: 'i', ...more });
const main = container('main');
const init = container('init');
const side = container('side', { restartPolicy: 'Always' });

function ran(
  name: string,
  state: number | 'running' | 'created',
  attempt: number = 0,
  sandboxId: string = 's',
): ContainerStatus {
  return {
    id: `${name}-${attempt}`,
    sandboxId,
    podUid: 'u',
    name,
    attempt,
    image: 'i',
    imageId: 'sha256:i',
    createdAt: 0,
    logPath: '/l',
    labels: {},
    annotations: {},
    ...(typeof state === 'number' ? { state: 'exited', exitCode: state } : { state }),
  };
}

function shown(step: Step): string {
  if (step.do === 'start') return `start ${step.container.name} ${step.attempt}`;
  if (step.do === 'stop') return `stop ${step.container.name}`;
  return step.do === 'create-sandbox' ? `sandbox ${step.attempt}` : step.do;
}

interface Row {
  readonly name: string;
  readonly spec: PodSpec;
  readonly has: readonly ContainerStatus[];
  readonly sandbox?: 'none' | 'lost';
  readonly unstarted?: readonly string[];
  readonly remembered?: Readonly<Record<string, number>>;
  /** Its running container lacks resources; its first attempt was ended for that. */
  readonly resized?: string;
  readonly steps: readonly string[];
}

const always: PodSpec = { restartPolicy: 'Always', containers: [main] };
const never: PodSpec = { restartPolicy: 'Never', containers: [main] };
const onFailure: PodSpec = { restartPolicy: 'OnFailure', containers: [main] };

const rows: readonly Row[] = [
  { name: 'a new pod gets a sandbox', spec: always, has: [], sandbox: 'none', steps: ['sandbox 0'] },
  {
    name: 'a lost sandbox is made anew',
    spec: always,
    has: [ran('main', 'running')],
    sandbox: 'lost',
    steps: ['sandbox 1'],
  },
  {
    name: 'a lost sandbox ends a pod that never restarts',
    spec: never,
    has: [ran('main', 137)],
    sandbox: 'lost',
    steps: ['finish'],
  },
  {
    name: 'a lost sandbox of a completed pod is not made anew',
    spec: onFailure,
    has: [ran('main', 0)],
    sandbox: 'lost',
    steps: ['finish'],
  },
  {
    name: 'all main containers start together',
    spec: { containers: [main, container('b')] },
    has: [],
    steps: ['start main 0', 'start b 0'],
  },
  { name: 'a running container is left alone', spec: always, has: [ran('main', 'running')], steps: [] },
  {
    name: 'a container that was created but not started is made anew',
    spec: always,
    has: [ran('main', 'created', 2)],
    steps: ['start main 2'],
  },
  {
    name: 'an ephemeral container starts whatever the others do',
    spec: { initContainers: [init], containers: [main], ephemeralContainers: [container('debug')] },
    has: [ran('init', 'running')],
    steps: ['start debug 0'],
  },
  {
    name: 'an ephemeral container runs once',
    spec: { containers: [main], ephemeralContainers: [container('debug')] },
    has: [ran('main', 'running'), ran('debug', 1)],
    steps: [],
  },
  {
    name: 'an ephemeral container does not keep a pod from its end',
    spec: { ...never, ephemeralContainers: [container('debug')] },
    has: [ran('main', 0), ran('debug', 'running')],
    steps: ['finish'],
  },
  {
    name: 'a changed image restarts the container',
    spec: { containers: [container('main', { image: 'j' })] },
    has: [ran('main', 'running')],
    steps: ['stop main'],
  },
  {
    name: 'Always restarts after success',
    spec: always,
    has: [ran('main', 0, 1), ran('main', 1, 0)],
    steps: ['start main 2'],
  },
  {
    name: 'OnFailure restarts after failure',
    spec: onFailure,
    has: [ran('main', 1)],
    steps: ['start main 1'],
  },
  { name: 'OnFailure ends after success', spec: onFailure, has: [ran('main', 0)], steps: ['finish'] },
  { name: 'Never ends after failure', spec: never, has: [ran('main', 1)], steps: ['finish'] },
  {
    name: 'a pod ends only when all main containers have',
    spec: { ...never, containers: [main, container('b')] },
    has: [ran('main', 1), ran('b', 'running')],
    steps: [],
  },
  {
    name: 'a container may restart in a pod that does not',
    spec: { ...never, containers: [container('main', { restartPolicy: 'OnFailure' })] },
    has: [ran('main', 9)],
    steps: ['start main 1'],
  },
  {
    name: 'a rule may restart on an exit code',
    spec: {
      ...never,
      containers: [
        container('main', {
          restartPolicy: 'Never',
          restartPolicyRules: [{ action: 'Restart', exitCodes: { operator: 'In', values: [42] } }],
        }),
      ],
    },
    has: [ran('main', 42)],
    steps: ['start main 1'],
  },
  {
    name: 'restarts are counted on from what the API remembers',
    spec: always,
    has: [],
    remembered: { main: 4 },
    steps: ['start main 5'],
  },
  {
    name: 'init containers come first',
    spec: { ...always, initContainers: [init, container('two')] },
    has: [],
    steps: ['start init 0'],
  },
  {
    name: 'the next init container follows a success',
    spec: { ...always, initContainers: [init, container('two')] },
    has: [ran('init', 0)],
    steps: ['start two 0'],
  },
  {
    name: 'a running init container holds the others back',
    spec: { ...always, initContainers: [init] },
    has: [ran('init', 'running')],
    steps: [],
  },
  {
    name: 'a failed init container is tried again',
    spec: { ...onFailure, initContainers: [init] },
    has: [ran('init', 1)],
    steps: ['start init 1'],
  },
  {
    name: 'a failed init container ends a pod that never restarts',
    spec: { ...never, initContainers: [init] },
    has: [ran('init', 1)],
    steps: ['finish'],
  },
  {
    name: 'main containers start after all init containers',
    spec: { ...always, initContainers: [init] },
    has: [ran('init', 0)],
    steps: ['start main 0'],
  },
  {
    name: 'init containers run again in a new sandbox',
    spec: { ...always, initContainers: [init] },
    has: [ran('init', 0, 0, 'old'), ran('main', 1, 3, 'old')],
    steps: ['start init 1'],
  },
  {
    name: 'a sidecar that has not started holds the others back',
    spec: { ...always, initContainers: [side] },
    has: [ran('side', 'running')],
    unstarted: ['side'],
    steps: [],
  },
  {
    name: 'a started sidecar lets main containers start',
    spec: { ...always, initContainers: [side] },
    has: [ran('side', 'running')],
    steps: ['start main 0'],
  },
  {
    name: 'a sidecar restarts beside main containers even when the pod does not',
    spec: { ...never, initContainers: [side] },
    has: [ran('side', 1), ran('main', 'running')],
    steps: ['start side 1'],
  },
  {
    name: 'a container with other resources than it was granted is resized',
    spec: always,
    has: [ran('main', 'running')],
    resized: 'main',
    steps: ['resize'],
  },
  {
    name: 'a container ended for its resize starts again, whatever its exit code',
    spec: onFailure,
    has: [ran('main', 0)],
    resized: 'main',
    steps: ['start main 1'],
  },
  {
    name: 'a sidecar does not keep a pod alive',
    spec: { ...never, initContainers: [side] },
    has: [ran('side', 'running'), ran('main', 0)],
    steps: ['finish'],
  },
];

describe('the plan of a pod', () => {
  it.each(rows)('$name', (row) => {
    const pod: Pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'x' }, spec: row.spec };
    const steps = planPod({
      pod,
      sandboxId: row.sandbox === undefined ? 's' : undefined,
      sandboxAttempt: row.sandbox === 'none' ? -1 : 0,
      histories: historiesOf(row.has),
      rememberedRestarts: new Map(Object.entries(row.remembered ?? {})),
      isStarted: (status) => !row.unstarted?.includes(status.name),
      needsResize: ({ name }) => row.resized === name,
      endedForResize: new Set(row.resized === undefined ? [] : [`${row.resized}-0`]),
    });
    expect(steps.map(shown)).toEqual(row.steps);
  });
});
