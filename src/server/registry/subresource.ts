import type { SubresourceDefinition } from '../../api/resource.ts';
import type { DeepMutable, KubeObject } from '../../machinery/object.ts';
import { newMethodNotAllowed } from '../../machinery/status/errors.ts';
import { newSuccess } from '../../machinery/status/success.ts';
import { admissionRequest } from './admission-request.ts';
import type { Answer } from './answer.ts';
import { decodeBody, reportStrict } from './codec.ts';
import { plainAnswer } from './create.ts';
import { matchNamespace } from './object-meta.ts';
import { patchObject } from './patch.ts';
import { getObject, latestEntry } from './read.ts';
import { strategyContext, type Registry, type RequestContext } from './request-context.ts';
import type { ServedVersion } from './served-resource.ts';
import { modifyObject, updateObject } from './update.ts';
import { writeOptions } from './write-options.ts';

/** A request for a subresource that the definition declares: a POST it serves itself, or a part of the object. */
export async function handleSubresource(
  registry: Registry,
  served: ServedVersion,
  context: RequestContext,
): Promise<Answer> {
  const { verb, subresource = '' } = context.request;
  const definition = served.resource.definition.subresources?.[subresource];
  if (!definition) throw newMethodNotAllowed();
  switch (verb) {
    case 'create':
      return createSubresource(registry, served, context, definition);
    case 'get':
      return getObject(registry, served, context);
    case 'update':
      return updateObject(registry, served, context);
    case 'patch':
      return patchObject(registry, served, context);
    default:
      throw newMethodNotAllowed();
  }
}

async function createSubresource(
  registry: Registry,
  served: ServedVersion,
  context: RequestContext,
  definition: SubresourceDefinition<KubeObject>,
): Promise<Answer> {
  if (!(definition.create ?? definition.modify) || !definition.schema || !context.body)
    throw newMethodNotAllowed();
  const options = writeOptions(context.request, 'CreateOptions');
  const { olderVersions = [] } = definition;
  const expected = { table: registry.schema, message: definition.schema, olderVersions, ...definition.kind };
  const body: DeepMutable<KubeObject> = reportStrict(decodeBody(context.body, expected), expected, {
    mode: options.fieldValidation,
    warn: (message) => context.warn(message),
  });
  definition.defaults?.(body);
  matchNamespace(body.metadata, served.type.namespaced, context.request.namespace);
  const entry = await latestEntry(registry, served, context.request);
  const admission = admissionRequest(registry, served, context, {
    operation: 'CREATE',
    name: entry.name,
    dryRun: options.dryRun,
    object: body,
    body: {
      kind: definition.kind,
      schema: definition.schema,
      ...(definition.defaults && { defaults: definition.defaults }),
    },
  });
  await registry.admission.admit(admission);
  await registry.admission.validate(admission);
  const strategy = strategyContext(registry, context, options.dryRun);
  if (!definition.create) {
    const { dryRun } = options;
    await modifyObject(registry, served, context, {
      dryRun,
      modify: (parent) => definition.modify?.(parent, body, strategy),
    });
    return plainAnswer(
      { ...newSuccess(), code: 201 },
      201,
      undefined,
      'io.k8s.apimachinery.pkg.apis.meta.v1.Status',
    );
  }
  const parent = served.resource.cache.object(entry);
  const answer = await definition.create(parent, body, strategy);
  return plainAnswer(answer as object, 201, undefined, definition.schema);
}
