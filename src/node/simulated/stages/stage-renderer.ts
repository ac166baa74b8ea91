import type { FunctionMap } from '../../../machinery/go-template/template-function.ts';
import { TemplateSet } from '../../../machinery/go-template/template-set.ts';
import { repeatedYamlReader } from './repeated-yaml.ts';
import { toTemplateData } from './template-data.ts';

/** Renders Go templates over objects, each template parsed once. */
export interface StageRenderer {
  /** The template's output, read as YAML. Throws `TemplateError` or `YamlError`. */
  toJson(template: string, object: unknown): unknown;
}

export function createStageRenderer(functions: FunctionMap): StageRenderer {
  const parsed = new Map<string, TemplateSet>();
  const read = repeatedYamlReader();
  return {
    toJson(template, object) {
      let set = parsed.get(template);
      if (!set) parsed.set(template, (set = new TemplateSet({ functions }).parse('_', template.trim())));
      return read(set.execute('_', toTemplateData(object)));
    },
  };
}
