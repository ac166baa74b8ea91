import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from './support/eventually.ts';
import { kanoeProgram, makeWorkplace } from './support/kanoe.ts';
import type { Workplace } from './support/kanoe.ts';
import { run } from './support/run.ts';

const stage = (name: string, spec: object): object => ({
  apiVersion: 'kwok.x-k8s.io/v1alpha1',
  kind: 'Stage',
  metadata: { name },
  spec: { resourceRef: { apiGroup: 'v1', kind: 'Pod' }, ...spec },
});

describe('a simulated cluster', { timeout: 180_000 }, () => {
  let place: Workplace;

  async function kubectl(...args: readonly string[]): Promise<string> {
    return await place.mustKanoe(args);
  }

  beforeAll(async () => {
    place = await makeWorkplace();
    await place.up(['--nodes', '0', '--nodes-simulated', '20', '--simulated-capacity', 'cpu=4,pods=50']);
  }, 180_000);

  afterAll(async () => {
    await place.stop();
  });

  it('has the nodes that were asked for, with what they were to offer', async () => {
    const nodes = JSON.parse((await place.kanoe(['get', 'nodes', '-o', 'json'])).stdout) as {
      readonly items: readonly {
        readonly status: {
          readonly allocatable: object;
          readonly conditions: readonly { readonly type: string; readonly status: string }[];
        };
      }[];
    };
    expect(nodes.items).toHaveLength(20);
    for (const { status } of nodes.items) {
      expect(status.allocatable).toEqual({ cpu: '4', memory: '256Gi', pods: '50' });
      expect(status.conditions).toContainEqual(expect.objectContaining({ type: 'Ready', status: 'True' }));
    }
  });

  it('runs pods, and lets a stage of one’s own fail some of them', async () => {
    const file = join(place.directory, 'fails.json');
    writeFileSync(
      file,
      JSON.stringify({
        apiVersion: 'v1',
        kind: 'List',
        items: [
          stage('pod-fails', {
            selector: {
              matchLabels: { fate: 'fails' },
              matchExpressions: [{ key: '.status.phase', operator: 'In', values: ['Running'] }],
            },
            next: { statusTemplate: 'phase: Failed\nreason: {{ .metadata.labels.fate | upper }}' },
          }),
          ...['good', 'fails'].map((fate) => ({
            apiVersion: 'v1',
            kind: 'Pod',
            metadata: { name: `pod-${fate}`, namespace: 'default', labels: { fate } },
            spec: { containers: [{ name: 'main', image: 'anything' }] },
          })),
        ],
      }),
    );
    await kubectl('apply', '-f', file);
    await eventually(async () => {
      const phases = await place.kanoe([
        'get',
        'pods',
        '-o',
        'custom-columns=N:.metadata.name,P:.status.phase,R:.status.reason',
        '--no-headers',
      ]);
      expect(phases.stdout.replaceAll(/ +/g, ' ')).toContain('pod-fails Failed FAILS');
      expect(phases.stdout.replaceAll(/ +/g, ' ')).toContain('pod-good Running');
    });
  });

  it('goes on after a restart with the nodes and pods that it had', async () => {
    await place.down();
    await place.up(['--nodes', '0']);
    await kubectl('scale', 'pod', 'late', '--replicas', '3');
    await eventually(async () => {
      const { stdout } = await place.kanoe([
        'get',
        'pods',
        '--field-selector',
        'status.phase=Running',
        '-o',
        'name',
      ]);
      expect(stdout.trim().split('\n').sort()).toEqual([
        'pod/late-000000',
        'pod/late-000001',
        'pod/late-000002',
        'pod/pod-good',
      ]);
    });
  });

  it('is saved, and is simulated again from the file', async () => {
    const file = join(place.directory, 'snapshot.yaml');
    await kubectl('snapshot', 'save', file);
    expect(readFileSync(file, 'utf8').match(/^kind: Node$/gm)).toHaveLength(20);
    const question = ['simulate', file, '--remove-node', 'node-000000', '-o', 'json'];
    const { stdout } = await run(process.execPath, [kanoeProgram, ...question], { env: place.env });
    expect(JSON.parse(stdout)).toMatchObject({ lostNodes: ['node-000000'] });
  });
});
