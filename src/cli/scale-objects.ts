import { builtinTemplates, type ResourceTemplate } from '../cluster/scale/resource-template.ts';
import { scaleResource } from '../cluster/scale/scale-resource.ts';
import { JqError } from '../machinery/jq/jq-error.ts';
import { jqCompiler } from '../machinery/jq/jq-query.ts';
import { isObject } from '../machinery/patch/json-value.ts';
import { parseManifests } from '../machinery/yaml/parse-manifests.ts';
import type { CliContext } from './cli-context.ts';
import { CliError } from './cli-error.ts';
import type { ScaleFlags } from './commands/scale.ts';
import { readSources } from './read-sources.ts';
import { servedType } from './resource-args.ts';
import type { Session } from './session.ts';

interface ScaleRequest {
  readonly type: string;
  readonly name: string | undefined;
  readonly flags: ScaleFlags;
}

/** Scales what is named: a template's objects, or else a workload by its `scale` subresource. */
export async function scaleObjects(
  context: CliContext,
  session: Session,
  { type, name, flags }: ScaleRequest,
): Promise<void> {
  const templates = [...(await templatesOf(context, flags.filename ?? [])), ...builtinTemplates];
  const template = templates.find((one) => one.name === type || `${one.name}s` === type);
  if (!template) return await scaleWorkload(context, session, { type, name, flags });
  const scaled = await scaleResource(session.client, await session.mapper(), {
    template,
    parameters: changed(template.parameters, flags.param ?? [], context),
    name: name ?? template.name,
    namespace: flags.namespace,
    replicas: flags.replicas,
    serialLength: flags.serialLength,
    clock: context.clock,
    signal: context.signal,
  });
  const changes = [
    ...(scaled.created > 0 ? [`${scaled.created} created`] : []),
    ...(scaled.deleted > 0 ? [`${scaled.deleted} deleted`] : []),
  ];
  context.stdout.write(
    `${scaled.resource} scaled to ${flags.replicas}${changes.length > 0 ? ` (${changes.join(', ')})` : ''}\n`,
  );
}

async function scaleWorkload(
  context: CliContext,
  session: Session,
  { type, name, flags }: ScaleRequest,
): Promise<void> {
  const [word = '', object = name ?? ''] = type.split('/');
  const served = servedType(word, await session.mapper());
  if (object === '')
    throw new CliError(`which ${served.type.kind}? write ${word}/NAME`, {
      exitCode: 2,
      hint: `templates there are: ${builtinTemplates.map((one) => one.name).join(', ')}`,
    });
  if (!served.subresources.includes('scale'))
    throw new CliError(`${served.type.resource} cannot be scaled: they have no replicas`);
  await session.client
    .for(served.type)
    .patch(
      { name: object, ...(served.type.namespaced && { namespace: session.namespace }) },
      { spec: { replicas: flags.replicas } },
      { type: 'application/merge-patch+json', subresource: 'scale', signal: context.signal },
    );
  const group = served.type.group === '' ? '' : `.${served.type.group}`;
  context.stdout.write(`${served.type.singular}${group}/${object} scaled\n`);
}

async function templatesOf(context: CliContext, paths: readonly string[]): Promise<ResourceTemplate[]> {
  const templates: ResourceTemplate[] = [];
  for (const path of paths) {
    for (const { file, text } of await readSources(path, context)) {
      for (const { object, line } of parseManifests(text, { file })) {
        const { kind, metadata, template, parameters } = object;
        if (kind !== 'KwokctlResource') continue;
        if (!isObject(metadata) || typeof metadata['name'] !== 'string' || typeof template !== 'string')
          throw new CliError(`${file}:${line}: a KwokctlResource needs metadata.name and template`);
        templates.push({ name: metadata['name'], parameters: parameters ?? {}, template });
      }
    }
  }
  return templates;
}

/** The parameters after changes such as `.allocatable.cpu="8"`, which are jq's. */
function changed(parameters: unknown, changes: readonly string[], context: CliContext): unknown {
  const compile = jqCompiler({ now: () => context.clock.now() });
  let value = parameters;
  for (const change of changes) {
    try {
      [value] = compile(change).run(value);
    } catch (error) {
      if (!(error instanceof JqError)) throw error;
      throw new CliError(`--param ${change}: ${error.message}`, { exitCode: 2 });
    }
  }
  return value;
}
