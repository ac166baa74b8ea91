import { apiVersionOf, type KubeObject } from '../machinery/object.ts';
import { encodeObject } from '../machinery/schema/encode-object.ts';
import { parseJson } from '../machinery/json/parse-json.ts';
import type { SchemaTable } from '../machinery/schema/schema.ts';
import type { ParamSource } from './admission/policies/policy-params.ts';
import { entryObject } from './registry/represent.ts';
import { storageKey, type ResourceTable } from './registry/served-resource.ts';

/** Reads the parameters of policies from the caches, in the version that a policy names. */
export function paramSource(table: () => ResourceTable, schema: SchemaTable): ParamSource {
  return (apiVersion, kind) => {
    const served = [...table().versions()].find(
      ({ type }) => type.kind === kind && apiVersionOf(type) === apiVersion,
    );
    if (!served) return undefined;
    const { resource, version, type } = served;
    const { cache } = resource;
    return {
      namespaced: type.namespaced,
      *list(namespace) {
        const prefix = type.namespaced ? `${cache.prefix}${namespace}/` : cache.prefix;
        for (const entry of cache.current().range(prefix)) yield entryObject(served, entry);
      },
      get(namespace, name) {
        const entry = cache.get(storageKey(resource, type.namespaced ? namespace : undefined, name));
        return entry && entryObject(served, entry);
      },
      document(object: KubeObject) {
        const shown = { ...object, kind, apiVersion };
        if (version.custom) return shown;
        return parseJson(Buffer.from(encodeObject(shown, { table: schema, message: version.schema }))).value;
      },
    };
  };
}
