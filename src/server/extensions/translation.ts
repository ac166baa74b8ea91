import { parseJson } from '../../machinery/json/parse-json.ts';
import { apiVersionOf, type KubeObject } from '../../machinery/object.ts';
import type { Translate } from './custom-cache.ts';
import { encodeCustom, type CustomVersion } from './custom-form.ts';

/** Brings stored values into a version, those of other versions with one conversion for all of each. */
export function translation({ type, converter }: CustomVersion): Translate {
  const own = apiVersionOf(type);
  return async (values) => {
    const objects = values.map((value) => parseJson(value).value as KubeObject);
    const foreign = objects.flatMap((object, index) => (object.apiVersion === own ? [] : [index]));
    if (foreign.length === 0) return values;
    const sources = foreign.flatMap((index) => objects[index] ?? []);
    const converted = await converter.convert(sources, type.version);
    const translated = [...values];
    foreign.forEach((index, position) => {
      const object = converted[position];
      if (object) translated[index] = encodeCustom(object);
    });
    return translated;
  };
}
