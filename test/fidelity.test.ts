import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeWorkplace, projectRoot, type Workplace } from './support/kanoe.ts';
import { describeWith } from './support/needs.ts';
import { run } from './support/run.ts';

/** Scores that were reached once, in percent; they only rise. */
interface Floor {
  readonly cases: number;
  readonly messages: number;
  readonly tag: number;
}

interface Score {
  readonly cases: number;
  readonly pass: number;
  readonly 'pass %': number;
  readonly 'message %': number;
}

interface Results {
  readonly summary: { readonly score: Readonly<Record<string, Score>> };
  readonly failures: readonly { readonly id: string; readonly diffs: readonly string[] }[];
}

/** What the recorded server ran; no scheduler, no workloads. */
const controllers = [
  'namespace',
  'serviceaccount',
  'serviceaccount-token',
  'garbagecollector',
  'resourcequota',
  'clusterrole-aggregation',
  'pvc-protection',
  'pv-protection',
  'root-ca-cert-publisher',
  'validatingadmissionpolicy-status-controller',
];

/** The ids that `docs/compatibility.md` names in the first column of its tables; `*` stands for anything. */
function knownDifferences(): readonly RegExp[] {
  const text = readFileSync(join(projectRoot, 'docs/compatibility.md'), 'utf8');
  return [...text.matchAll(/^\| ((?:`[^`]+`(?:, )?)+) \|/gm)].flatMap(([, cell = '']) =>
    [...cell.matchAll(/`([^`]+)`/g)].map(
      ([, id = '']) =>
        new RegExp(
          `^${id
            .split('*')
            .map((part) => part.replaceAll(/[\\^$.|?+()[\]{}]/g, '\\$&'))
            .join('.*')}$`,
        ),
    ),
  );
}

describeWith({ exchanges: true }, 'exchanges recorded with a real Kubernetes 1.36.2', () => {
  let place: Workplace;
  beforeAll(async () => {
    place = await makeWorkplace();
    await place.up(
      `--nodes 0 --controllers ${controllers.join(',')} --service-cidr 10.94.0.0/16 --pod-cidr 10.95.0.0/16`.split(
        ' ',
      ),
    );
  });
  afterAll(() => place.stop());

  const play = async (...args: readonly string[]): Promise<Results> => {
    const out = join(place.directory, 'results.json');
    const player = join(process.env['KANOE_FIDELITY'] ?? '', 'play.mjs');
    const line = [player, '--kubeconfig', place.kubeconfig, '--jobs', '4', '--out', out, ...args];
    const { stderr } = await run(process.execPath, line, { timeoutMs: 800_000 });
    try {
      return JSON.parse(readFileSync(out, 'utf8')) as Results;
    } catch (cause) {
      throw new Error(`the player ended without results: ${stderr}`, { cause });
    }
  };

  it(
    'are answered alike, but for the differences that the documentation lists',
    { timeout: 900_000 },
    async () => {
      const floor = JSON.parse(
        readFileSync(join(import.meta.dirname, 'fidelity-floor.json'), 'utf8'),
      ) as Floor;
      const { summary, failures } = await play();
      const known = knownDifferences();
      const first = failures.filter(({ id }) => !known.some((pattern) => pattern.test(id)));
      // Whether a controller acts before or after the next step of a case is chance; a real difference shows again.
      const few = first.length > 0 && first.length <= 3;
      const ids = first.map(({ id }) => id.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'));
      const unlisted = few ? (await play('--id', `^(${ids.join('|')})$`)).failures : first;
      expect(unlisted.map(({ id, diffs }) => `${id}: ${diffs[0]}`)).toEqual([]);
      const { all, ...tags } = summary.score;
      expect(all?.['pass %']).toBeGreaterThanOrEqual(floor.cases);
      expect(all?.['message %']).toBeGreaterThanOrEqual(floor.messages);
      const low = Object.entries(tags).filter(
        ([name, score]) => name !== 'openapi' && score['pass %'] < floor.tag,
      );
      expect(low.map(([name, score]) => `${name} ${score['pass %']} %`)).toEqual([]);
    },
  );
});
