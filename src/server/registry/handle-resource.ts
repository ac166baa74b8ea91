import type { ResourceDefinition } from '../../api/resource.ts';
import type { Verb } from '../../machinery/transport.ts';
import { newGenericServerResponse, newMethodNotAllowed, newNotFound } from '../../machinery/status/errors.ts';
import type { Answer } from './answer.ts';
import { answerComputed } from './computed.ts';
import { createObject } from './create.ts';
import { deleteCollection, deleteObject } from './delete.ts';
import { patchObject } from './patch.ts';
import { getObject, listObjects } from './read.ts';
import type { Registry, RequestContext } from './request-context.ts';
import { scaleObject } from './scale.ts';
import { groupResource, type ServedVersion } from './served-resource.ts';
import { handleSubresource } from './subresource.ts';
import { updateObject } from './update.ts';

const statusVerbs: readonly Verb[] = ['get', 'update', 'patch'];

function subresourceVerbs(definition: ResourceDefinition, subresource: string): readonly Verb[] | undefined {
  if (subresource === 'status') return definition.status ? statusVerbs : undefined;
  if (subresource === 'scale') return definition.scale ? statusVerbs : undefined;
  return definition.subresources?.[subresource]?.verbs;
}

/** Throws 404 for a path and 405 for a verb that the resource does not have, as upstream's router does. */
export function checkServed(served: ServedVersion, context: RequestContext): void {
  const { verb, subresource, name } = context.request;
  const { definition } = served.resource;
  if (subresource !== undefined) {
    const verbs = subresourceVerbs(definition, subresource);
    if (!verbs) {
      throw served.version.custom
        ? newNotFound(groupResource(served), name ?? '')
        : newGenericServerResponse({ code: 404 });
    }
    if (verb !== '' && !verbs.includes(verb)) throw newMethodNotAllowed();
    return;
  }
  if (definition.review) {
    if (name !== undefined) throw newGenericServerResponse({ code: 404 });
    if (verb !== 'create') throw newMethodNotAllowed();
    return;
  }
  if (definition.compute && verb !== 'get' && verb !== 'list') throw newMethodNotAllowed();
  if (verb === 'deletecollection' && definition.withoutDeleteCollection) throw newMethodNotAllowed();
  const onCollection = ['list', 'watch', 'create', 'deletecollection'].includes(verb);
  if (name === undefined && !onCollection) throw newMethodNotAllowed();
  if (name !== undefined && verb === 'create') throw newMethodNotAllowed();
}

/** Serves one request about a resource, other than WATCH and connections. Throws `StatusError`. */
export async function handleResource(
  registry: Registry,
  served: ServedVersion,
  context: RequestContext,
): Promise<Answer> {
  const { verb, subresource } = context.request;
  if (subresource === 'scale') return scaleObject(registry, served, context);
  if (subresource !== undefined && subresource !== 'status')
    return handleSubresource(registry, served, context);
  const { definition } = served.resource;
  if (definition.compute) return answerComputed(served, context.request, definition.compute());
  switch (verb) {
    case 'get':
      return getObject(registry, served, context);
    case 'list':
      return listObjects(registry, served, context);
    case 'create':
      return createObject(registry, served, context);
    case 'update':
      return updateObject(registry, served, context);
    case 'patch':
      return patchObject(registry, served, context);
    case 'delete':
      return deleteObject(registry, served, context);
    case 'deletecollection':
      return deleteCollection(registry, served, context);
    default:
      throw newMethodNotAllowed();
  }
}
