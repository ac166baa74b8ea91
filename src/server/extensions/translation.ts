import { parseJson } from '../../machinery/json/parse-json.ts';
import { apiVersionOf, type KubeObject } from '../../machinery/object.ts';
import { StatusError } from '../../machinery/status-error.ts';
import { conversionRefused } from './converter.ts';
import type { Translate } from './custom-cache.ts';
import { encodeCustom, type CustomVersion } from './custom-form.ts';

/** Brings stored values into a version, those of other versions with one conversion for all, unless some are refused. */
export function translation({ type, converter }: CustomVersion): Translate {
  const own = apiVersionOf(type);
  return async (values) => {
    const objects = values.map((value) => parseJson(value).value as KubeObject);
    const foreign = objects.flatMap((object, index) => (object.apiVersion === own ? [] : [index]));
    if (foreign.length === 0) return values;
    const sources = foreign.flatMap((index) => objects[index] ?? []);
    const converted = await each(sources);
    const translated: (Buffer | StatusError)[] = [...values];
    foreign.forEach((index, position) => {
      const object = converted[position];
      if (object) translated[index] = object instanceof StatusError ? object : encodeCustom(object);
    });
    return translated;
  };

  /** Of several that are refused together each is asked for in ever smaller parts. */
  async function each(sources: readonly KubeObject[]): Promise<readonly (KubeObject | StatusError)[]> {
    try {
      return await converter.convert(sources, type.version);
    } catch (error) {
      if (!(error instanceof StatusError) || error.cause !== conversionRefused) throw error;
      if (sources.length === 1) return [error];
      const half = sources.length >> 1;
      return [...(await each(sources.slice(0, half))), ...(await each(sources.slice(half)))];
    }
  }
}
