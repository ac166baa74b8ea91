import { type FieldError, invalid } from '../../../machinery/field-error.ts';

/** From lax to strict. */
const levels = ['privileged', 'baseline', 'restricted'] as const;
export type Level = (typeof levels)[number];

/** A level of the Pod Security Standards in the form of one version. */
export interface LevelVersion {
  readonly level: Level;
  /** The minor version of `v1.x`; undefined is `latest`. */
  readonly minor: number | undefined;
}

/** What a namespace says of its pods. */
export interface Policy {
  readonly enforce: LevelVersion;
  readonly audit: LevelVersion;
  readonly warn: LevelVersion;
}

type Labels = Readonly<Record<string, string>> | undefined;

const prefix = 'pod-security.kubernetes.io/';

/** `restricted:latest`. */
export function printLevel({ level, minor }: LevelVersion): string {
  return `${level}:${minor === undefined ? 'latest' : `v1.${minor}`}`;
}

/** Whether `a` is stricter than `b`. */
export function isStricter(a: Level, b: Level): boolean {
  return levels.indexOf(a) > levels.indexOf(b);
}

/**
 * The policy that a namespace's labels state, with what is wrong with them. What cannot be read is `restricted` when it is
 * enforced, and `privileged` otherwise; a namespace that only enforces warns of the same (upstream's `PolicyToEvaluate`).
 */
export function policyOf(labels: Labels): { readonly policy: Policy; readonly errors: FieldError[] } {
  const errors: FieldError[] = [];
  const wrong = (label: string, value: string, detail: string): void => {
    errors.push(invalid(`metadata.labels[${label}]`, value, detail));
  };
  const mode = (name: keyof Policy): LevelVersion => {
    const label = `${prefix}${name}`;
    const stated = labels?.[label];
    let level: Level = 'privileged';
    if (stated !== undefined) {
      const found = levels.find((one) => one === stated);
      if (!found) wrong(label, stated, `must be one of ${levels.join(', ')}`);
      level = found ?? (name === 'enforce' ? 'restricted' : 'privileged');
    }
    const version = labels?.[`${label}-version`];
    const minor = /^v1\.(0|[1-9][0-9]*)$/.exec(version ?? '')?.[1];
    if (version !== undefined && version !== 'latest' && minor === undefined)
      wrong(`${label}-version`, version, 'must be "latest" or "v1.x"');
    return { level, minor: minor === undefined ? undefined : Number(minor) };
  };
  const policy = { enforce: mode('enforce'), audit: mode('audit'), warn: mode('warn') };
  return { policy: { ...policy, warn: warned(policy, labels) }, errors };
}

/** What is enforced is warned of as well, unless the labels say how much to warn. */
function warned({ enforce, warn }: Policy, labels: Labels): LevelVersion {
  const isStated = levels.some((level) => level === labels?.[`${prefix}enforce`]);
  if (!isStated || labels?.[`${prefix}warn`] !== undefined || !isStricter(enforce.level, warn.level))
    return warn;
  return labels?.[`${prefix}warn-version`] === undefined ? enforce : { ...warn, level: enforce.level };
}
