import type { Node } from '../api/core/v1.gen.ts';
import { simulate } from '../cluster/simulate/simulate.ts';
import type { Findings, NodeGroup } from '../cluster/simulate/what-if.ts';
import type { KubeObject } from '../machinery/object.ts';
import { toYaml } from '../machinery/yaml/to-yaml.ts';
import type { CliContext } from './cli-context.ts';
import { CliError } from './cli-error.ts';
import type { SimulateFlags } from './commands/simulate.ts';
import { loadManifests } from './manifests.ts';
import { createProgress } from './progress.ts';
import { printFindings } from './print-findings.ts';
import { readDocuments } from './snapshot-files.ts';

/** Simulates and prints the answer. Throws {@link CliError} when not every pod has a place. */
export async function answerWhatIf(
  context: CliContext,
  snapshot: string,
  flags: SimulateFlags,
): Promise<void> {
  const { objects } = await readDocuments(context, snapshot);
  const manifests = flags.filename ? await loadManifests(flags.filename, context) : [];
  const groups: NodeGroup[] = [];
  for (const text of flags.nodeGroup ?? []) groups.push(await nodeGroup(context, text, objects));
  const lostZones = flags.drainZone ?? [];
  const lostNodes = flags.removeNode ?? [];
  for (const name of lostNodes)
    if (!nodeNamed(objects, name)) throw new CliError(`the snapshot has no node "${name}"`);
  for (const zone of lostZones)
    if (!objects.some((object) => object.kind === 'Node' && zoneLabel(object) === zone))
      throw new CliError(`the snapshot has no node in a zone "${zone}"`);
  const progress = createProgress(context);
  const findings = await simulate(
    {
      objects,
      manifests: manifests.map(({ object }) => inNamespace(object)),
      lostZones,
      lostNodes,
      groups,
    },
    {
      startMs: context.clock.now(),
      signal: context.signal,
      seed: flags.seed,
      report: (step) => progress.step(step),
      onProblem: (problem) => progress.warn(problem),
    },
  );
  progress.done();
  context.stdout.write(rendered(findings, flags.output));
  if (!findings.fits) throw new CliError(verdict(findings));
}

function rendered(findings: Findings, output: SimulateFlags['output']): string {
  if (output === 'json') return `${JSON.stringify(findings, null, 2)}\n`;
  return output === 'yaml' ? toYaml(findings) : printFindings(findings);
}

function verdict({ pods }: Findings): string {
  const parts = [
    ...(pods.pending > 0 ? [`${pods.pending} pods have no place`] : []),
    ...(pods.lost > 0 ? [`${pods.lost} pods are lost`] : []),
  ];
  return parts.join(', ');
}

/** Objects without a namespace go to `default`, as they would on a cluster. */
function inNamespace(object: KubeObject): KubeObject {
  if (object.metadata.namespace !== undefined || clusterScoped.has(object.kind)) return object;
  return { ...object, metadata: { ...object.metadata, namespace: 'default' } };
}

const clusterScoped = new Set([
  'Namespace',
  'Node',
  'PersistentVolume',
  'PriorityClass',
  'StorageClass',
  'RuntimeClass',
  'ClusterRole',
  'ClusterRoleBinding',
  'CustomResourceDefinition',
  'IngressClass',
  'DeviceClass',
]);

async function nodeGroup(
  context: CliContext,
  text: string,
  objects: readonly KubeObject[],
): Promise<NodeGroup> {
  const match = /^(.+):(\d+):(\d+)$/.exec(text);
  const [, source = '', min = '', max = ''] = match ?? [];
  if (!match || Number(min) > Number(max))
    throw new CliError(`--node-group ${text}: it must be NODE:MIN:MAX, such as big.yaml:0:10`, {
      exitCode: 2,
    });
  const template = nodeNamed(objects, source) ?? (await nodeFile(context, source));
  const name = template.metadata.name ?? source;
  return {
    name,
    template: template as Node,
    min: Number(min),
    max: Number(max),
  };
}

async function nodeFile(context: CliContext, path: string): Promise<KubeObject> {
  const found = (await readDocuments(context, path)).objects.find(({ kind }) => kind === 'Node');
  if (!found) throw new CliError(`${path} holds no Node`);
  return found;
}

function nodeNamed(objects: readonly KubeObject[], name: string): KubeObject | undefined {
  return objects.find((object) => object.kind === 'Node' && object.metadata.name === name);
}

function zoneLabel({ metadata }: KubeObject): string | undefined {
  return (metadata satisfies Node['metadata']).labels?.['topology.kubernetes.io/zone'];
}
