import { listContains } from '../equality.ts';
import type { FunctionLibrary } from '../function-table.ts';
import { asList } from '../value-guards.ts';
import { items } from '../value.ts';
import type { CelList, CelValue } from '../value.ts';

/** cel-go's sets extension. */
export function setFunctions(): FunctionLibrary {
  return [
    {
      id: 'list_sets_contains_list',
      signature: 'sets.contains(list(T), list(T)) -> bool',
      run: (list, sub) => containsAll(asList(list), asList(sub)),
    },
    {
      id: 'list_sets_equivalent_list',
      signature: 'sets.equivalent(list(T), list(T)) -> bool',
      run: (left?: CelValue, right?: CelValue) =>
        containsAll(asList(left), asList(right)) && containsAll(asList(right), asList(left)),
    },
    {
      id: 'list_sets_intersects_list',
      signature: 'sets.intersects(list(T), list(T)) -> bool',
      run: (left, right) => items(asList(right)).some((item) => listContains(asList(left), item)),
    },
  ];
}

function containsAll(list: CelList, sub: CelList): boolean {
  return items(sub).every((item) => listContains(list, item));
}
