import type { KubeObject } from '../../machinery/object.ts';

/** The `cause` of an error by which a webhook refuses objects, so that others may still be converted. */
export const conversionRefused = 'conversion refused';

/** Converts objects of one custom resource between its versions. */
export interface Converter {
  /** Copies of the objects in another version, in their order. Rejects with a `StatusError`. */
  convert(objects: readonly KubeObject[], version: string): KubeObject[] | Promise<KubeObject[]>;
  /** One object in another version, for comparing: what the version does not have stays where nothing takes it away. */
  compare(object: KubeObject, version: string): KubeObject | Promise<KubeObject>;
}

/** The version that an object is in. */
export function versionOf({ apiVersion }: KubeObject): string {
  return apiVersion.slice(apiVersion.indexOf('/') + 1);
}

/** `strategy: None`: versions differ in nothing but their name. */
export function plainConverter(
  group: string,
  complete: (object: KubeObject, version: string) => KubeObject,
): Converter {
  return {
    convert: (objects, version) =>
      objects.map((object) => {
        const whole = complete(object, versionOf(object));
        return complete({ ...whole, apiVersion: `${group}/${version}` }, version);
      }),
    compare: (object, version) => ({ ...object, apiVersion: `${group}/${version}` }),
  };
}
