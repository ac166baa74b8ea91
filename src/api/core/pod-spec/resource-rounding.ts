import { formatQuantity, parseQuantity } from '../../../machinery/quantity.ts';

const milli = 1_000_000n;

/** Rounds amounts finer than a thousandth up, in place, as upstream does with every resource list it stores. */
export function roundResources(list: Record<string, string> | undefined): void {
  for (const [name, text] of Object.entries(list ?? {})) {
    const { nanos, format } = parseQuantity(text);
    const excess = nanos % milli;
    if (list && excess !== 0n) {
      const rounded = nanos - excess + (nanos > 0n ? milli : -milli);
      list[name] = formatQuantity({ nanos: rounded, format });
    }
  }
}
