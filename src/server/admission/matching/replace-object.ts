import type { DeepMutable, KubeObject } from '../../../machinery/object.ts';

/** Gives `target`, which others hold, the content of `source`. */
export function replaceObject(target: DeepMutable<KubeObject>, source: DeepMutable<KubeObject>): void {
  for (const name of Object.keys(target)) {
    if (!Object.hasOwn(source, name)) Reflect.deleteProperty(target, name);
  }
  Object.assign(target, source);
}
