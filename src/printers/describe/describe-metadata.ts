import type { KubeObject } from '../../machinery/object.ts';
import type { TabText } from './tab-text.ts';

type Words = Readonly<Record<string, string>>;

const longestAnnotation = 140;
const hidden = 'kubectl.kubernetes.io/last-applied-configuration';

/** A label and a value for each pair, one a line. */
export function describePairs(text: TabText, label: string, pairs: Words | undefined): void {
  const lines = Object.entries(pairs ?? {})
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`);
  const [first = '<none>', ...rest] = lines;
  text.line(0, `${label}:`, first);
  for (const line of rest) text.line(0, '', line);
}

/** Labels and annotations; what `apply` remembers is left out. */
export function describeLabels(text: TabText, { metadata }: KubeObject): void {
  describePairs(text, 'Labels', metadata.labels);
  const { [hidden]: _applied, ...annotations } = metadata.annotations ?? {};
  const lines = Object.entries(annotations)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([name, value]) => {
      const short = value.length > longestAnnotation ? `${value.slice(0, longestAnnotation)}...` : value;
      return short.includes('\n')
        ? [
            `${name}:`,
            ...short
              .trimEnd()
              .split('\n')
              .map((line) => `  ${line}`),
          ]
        : [`${name}: ${short}`];
    });
  const [first = '<none>', ...rest] = lines;
  text.line(0, 'Annotations:', first);
  for (const line of rest) text.line(0, '', line);
}

/** RFC 1123 with the zone as a number, as kubectl writes times. */
export function describeTime(time: string | undefined): string {
  return time === undefined ? '<unknown>' : new Date(time).toUTCString().replace('GMT', '+0000');
}
