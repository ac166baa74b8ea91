import type { LabelSelector } from '../../machinery/meta/v1.gen.ts';
import { printSelector, selectorFrom } from '../../machinery/selectors/label-selector.ts';
import type { KubeObject } from '../../machinery/object.ts';
import type { Column } from '../resource.ts';
import type { PodTemplateSpec } from './v1.gen.ts';

/** A selector as tables show it; `<none>` when it selects everything or is absent. */
function printedSelector(selector: LabelSelector | undefined): string {
  return (selector && printSelector(selectorFrom(selector))) || '<none>';
}

/** The columns of `-o wide` that all workloads have. */
export function templateColumns<T extends KubeObject>(parts: {
  template(object: T): PodTemplateSpec | undefined;
  selector(object: T): LabelSelector | undefined;
}): Column<T>[] {
  const joined = (object: T, of: 'name' | 'image'): string =>
    (parts.template(object)?.spec.containers ?? []).map((container) => container[of] ?? '').join(',');
  return [
    { name: 'Containers', type: 'string', priority: 1, cell: (object) => joined(object, 'name') },
    { name: 'Images', type: 'string', priority: 1, cell: (object) => joined(object, 'image') },
    {
      name: 'Selector',
      type: 'string',
      priority: 1,
      cell: (object) => printedSelector(parts.selector(object)),
    },
  ];
}
