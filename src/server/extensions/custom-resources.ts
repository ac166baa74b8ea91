import { sameValue } from '../../machinery/same-value.ts';
import { isTrue } from '../../api/apiextensions/definition-conditions.ts';
import type {
  CustomResourceDefinition,
  CustomResourceDefinitionVersion,
} from '../../api/apiextensions/v1.gen.ts';
import type { Clock } from '../../base/clock.ts';
import type { ResourceVersion } from '../../api/resource.ts';
import { mutableCopy } from '../../machinery/mutable-copy.ts';
import type { KubeObject, ResourceType } from '../../machinery/object.ts';
import type { SchemaTable } from '../../machinery/schema/schema.ts';
import { loadPatterns } from '../../machinery/structural/patterns.ts';
import type { CompileRules } from '../../machinery/structural/rule-validator.ts';
import { structuralSchema } from '../../machinery/structural/structural-schema.ts';
import type { Store } from '../../storage/kv.ts';
import {
  erased,
  storagePrefix,
  type ResourceTable,
  type ServedResource,
} from '../registry/served-resource.ts';
import { ResourceCache } from '../watch/resource-cache.ts';
import type { StoreFeed } from '../watch/store-feed.ts';
import { plainConverter, type Converter } from './converter.ts';
import { CustomCache } from './custom-cache.ts';
import { customDefinition } from './custom-definition.ts';
import { completed, decodeCustom, encodeCustom, type CustomVersion } from './custom-form.ts';
import type { ExtensionsObserver, PublishedChange } from './extensions-observer.ts';
import { translation } from './translation.ts';

/** Converts by calling the webhook of a definition. */
export type WebhookConverter = (
  definition: CustomResourceDefinition,
  complete: (object: KubeObject, version: string) => KubeObject,
) => Converter;

export interface CustomResourcesOptions {
  readonly store: Store;
  readonly feed: StoreFeed;
  readonly clock: Clock;
  readonly schema: SchemaTable;
  readonly table: () => ResourceTable;
  /** Absent: versions differ in their names only. */
  readonly webhookConverter?: WebhookConverter;
  /** Absent: rules are not evaluated. */
  readonly compileRules?: CompileRules;
  readonly observer?: ExtensionsObserver;
}

interface Served {
  /** The newest definition; it may differ from what is served where {@link sameService} does not look. */
  readonly newest: { definition: CustomResourceDefinition };
  readonly resources: readonly ServedResource[];
  readonly caches: readonly CustomCache[];
}

/** Serves the kinds that custom resource definitions define, from the moment they are established until they are gone. */
export class CustomResources {
  readonly #options: CustomResourcesOptions;
  readonly #served = new Map<string, Served>();

  constructor(options: CustomResourcesOptions) {
    this.#options = options;
  }

  /** Takes the newest state of a definition; `undefined` when it is gone. */
  update(name: string, definition: CustomResourceDefinition | undefined): void {
    const served = this.#served.get(name);
    if (!definition || !isTrue(definition, 'Established')) {
      if (served) this.#remove(name, served);
      return;
    }
    if (served && sameService(served.newest.definition, definition)) {
      served.newest.definition = definition;
      return;
    }
    const next = this.#build(definition);
    this.#served.set(name, next);
    this.#options.table().change(next.resources, served?.resources ?? []);
    for (const cache of served?.caches ?? []) cache.close();
    this.#published(definition, served ? 'update' : 'add');
  }

  #published({ metadata, spec }: CustomResourceDefinition, reason: PublishedChange['reason']): void {
    const versions = spec.versions.filter(({ served }) => served).map(({ name }) => name);
    this.#options.observer?.published({
      definition: metadata.name ?? '',
      group: spec.group,
      versions,
      reason,
    });
  }

  /** How a definition is served now; of its versions the stored one comes first. */
  resourcesOf(name: string): readonly ServedResource[] {
    return this.#served.get(name)?.resources ?? [];
  }

  close(): void {
    for (const { caches } of this.#served.values()) for (const cache of caches) cache.close();
  }

  #remove(name: string, served: Served): void {
    this.#served.delete(name);
    this.#options.table().change([], served.resources);
    for (const cache of served.caches) cache.close();
    this.#published(served.newest.definition, 'remove');
  }

  #build(definition: CustomResourceDefinition): Served {
    const versions = definition.spec.versions.toSorted((a, b) => Number(b.storage) - Number(a.storage));
    const [first] = versions;
    const stored = typeOf(definition, first?.name ?? '');
    const converter = this.#converter(definition, stored);
    const caches: CustomCache[] = [];
    const all: Record<string, ResourceVersion<KubeObject>> = {};
    const known = { stored, converter, versions: () => all };
    const newest = { definition };
    const resources = versions
      .filter((version) => version.served)
      .map((declared) => {
        const version = this.#version(definition, declared, known);
        const { resource, cache } = this.#resource(declared, version, {
          definition,
          current: () => newest.definition,
        });
        caches.push(cache);
        Object.assign(all, resource.definition.versions);
        return resource;
      });
    return { newest, resources, caches };
  }

  #version(
    definition: CustomResourceDefinition,
    declared: CustomResourceDefinitionVersion,
    known: Pick<CustomVersion, 'stored' | 'converter' | 'versions'>,
  ): CustomVersion {
    const { kind, listKind } = definition.status?.acceptedNames ?? definition.spec.names;
    return {
      type: typeOf(definition, declared.name),
      ...known,
      listKind: listKind ?? `${kind}List`,
      selectable: (declared.selectableFields ?? []).map(({ jsonPath }) => jsonPath),
      schema: structuralSchema(declared.schema?.openAPIV3Schema ?? {}),
      table: this.#options.schema,
    };
  }

  #converter(definition: CustomResourceDefinition, stored: ResourceType<KubeObject>): Converter {
    const versions = new Map<string, CustomVersion>();
    const complete = (object: KubeObject, name: string): KubeObject => {
      const declared = definition.spec.versions.find((version) => version.name === name);
      if (!declared) return object;
      const version =
        versions.get(name) ??
        this.#version(definition, declared, { stored, converter, versions: () => ({}) });
      versions.set(name, version);
      return completed({ ...mutableCopy(object) }, version);
    };
    const converter: Converter =
      definition.spec.conversion?.strategy === 'Webhook' && this.#options.webhookConverter
        ? this.#options.webhookConverter(definition, complete)
        : plainConverter(definition.spec.group, complete);
    return converter;
  }

  #resource(
    declared: CustomResourceDefinitionVersion,
    version: CustomVersion,
    of: { readonly definition: CustomResourceDefinition; current(): CustomResourceDefinition },
  ): { readonly resource: ServedResource; readonly cache: CustomCache } {
    const { store, feed, clock, schema, compileRules, observer } = this.#options;
    const definition = erased(
      customDefinition(declared, version, {
        table: schema,
        current: () => of.current(),
        ...(compileRules && { compileRules }),
        ...(observer && { observer }),
      }),
    );
    const fields = Object.entries(definition.selectableFields ?? {});
    const prefix = storagePrefix(version.type);
    const webhook = of.definition.spec.conversion?.strategy === 'Webhook';
    const cache = new CustomCache({
      cache: new ResourceCache({
        prefix,
        namespaced: version.type.namespaced,
        clock,
        decode: (bytes) => decodeCustom(bytes, version),
        encode: encodeCustom,
        rereads: true,
        selectable: (object) => Object.fromEntries(fields.map(([name, read]) => [name, read(object)])),
      }),
      feed,
      list: () => store.list(prefix),
      ...(webhook && { translate: translation(version) }),
    });
    const resource: ServedResource = {
      definition,
      stored: version.type,
      cache: cache.cache,
      async ready(request) {
        await loadPatterns();
        if (!request || request.verb === 'create') return cache.ready();
        const { namespace, name } = request;
        const below = version.type.namespaced && namespace !== undefined ? `${prefix}${namespace}/` : prefix;
        return cache.readyWith(name === undefined ? { prefix: below } : { key: `${below}${name}` });
      },
    };
    return { resource, cache };
  }
}

/** Whether two states of a definition are served alike. */
function sameService(a: CustomResourceDefinition, b: CustomResourceDefinition): boolean {
  const [before, now] = [a.metadata, b.metadata];
  // The generation of an object tells of every change of its specification.
  const sameSpec =
    before.uid === now.uid && before.generation !== undefined && before.generation === now.generation;
  return (
    (sameSpec || sameValue(a.spec, b.spec)) && sameValue(a.status?.acceptedNames, b.status?.acceptedNames)
  );
}

/** A version with the names that were accepted. */
function typeOf({ spec, status }: CustomResourceDefinition, version: string): ResourceType<KubeObject> {
  const names = status?.acceptedNames ?? spec.names;
  return {
    group: spec.group,
    version,
    resource: names.plural,
    kind: names.kind,
    namespaced: spec.scope === 'Namespaced',
    singular: names.singular ?? '',
    shortNames: names.shortNames ?? [],
    categories: names.categories ?? [],
  };
}
