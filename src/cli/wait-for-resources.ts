import { sleep } from '../base/clock.ts';
import type { KubeObject } from '../machinery/object.ts';
import { isObject, member } from '../machinery/patch/json-value.ts';
import { isStatus } from '../machinery/status-error.ts';
import { compileJsonPath, relaxedJsonPath } from '../machinery/jsonpath/jsonpath.ts';
import { scalarText } from '../machinery/jsonpath/scalar-text.ts';
import type { CliContext } from './cli-context.ts';
import { CliError } from './cli-error.ts';
import type { WaitFlags } from './commands/wait.ts';
import { findRefs, type ObjectRefOfType } from './find-objects.ts';
import { typeName } from './resource-args.ts';
import type { Session } from './session.ts';

const pollMs = 200;
const weekMs = 7 * 24 * 3_600_000;

/** Whether the wait is over for an object; undefined stands for one that does not exist. */
interface WaitCondition {
  /** What is printed when it is met. */
  readonly met: string;
  /** Objects that do not exist are waited for, too. */
  readonly mayBeAbsent: boolean;
  holds(object: KubeObject | undefined): boolean;
}

/** Waits until everything that the arguments of `wait` name is in the wanted state. Throws {@link CliError} at the time's end. */
export async function waitForResources(
  context: CliContext,
  session: Session,
  { args, flags }: { readonly args: readonly string[]; readonly flags: WaitFlags },
): Promise<void> {
  const condition = parseCondition(flags.for);
  const { clock, signal } = context;
  const deadline = clock.monotonic() + (flags.timeout < 0 ? weekMs : flags.timeout);
  const refs = await findRefs(context, session, { args, ...flags });
  if (refs.length === 0) {
    if (flags.for === 'delete') return;
    throw new CliError('no matching resources found');
  }
  const late: ObjectRefOfType[] = [];
  for (const ref of refs) {
    let holds = condition.holds(await read(session, ref, condition));
    while (!holds && clock.monotonic() < deadline) {
      await sleep(clock, Math.min(pollMs, deadline - clock.monotonic()), signal);
      holds = condition.holds(await read(session, ref, condition));
    }
    if (holds) context.stdout.write(`${typeName(ref.served)}/${ref.name} ${condition.met}\n`);
    else late.push(ref);
  }
  if (late.length > 0)
    throw new CliError(
      late
        .map(({ served, name }) => `timed out waiting for the condition on ${served.type.resource}/${name}`)
        .join('\n'),
    );
}

async function read(
  session: Session,
  { served, ...ref }: ObjectRefOfType,
  { mayBeAbsent }: WaitCondition,
): Promise<KubeObject | undefined> {
  try {
    return await session.client.for(served.type).get(ref);
  } catch (error) {
    if (mayBeAbsent && isStatus(error, 'NotFound')) return undefined;
    throw error;
  }
}

/** Reads the value of `--for`. */
function parseCondition(text: string): WaitCondition {
  const [kind = '', ...rest] = text.split('=');
  const parameter = rest.join('=');
  if (text.toLowerCase() === 'delete')
    return { met: 'condition met', mayBeAbsent: true, holds: (object) => object === undefined };
  if (text.toLowerCase() === 'create')
    return { met: 'condition met', mayBeAbsent: true, holds: (object) => object !== undefined };
  if (kind === 'condition' && parameter !== '') return conditionState(parameter);
  if (kind === 'jsonpath' && parameter !== '') return jsonPathState(parameter);
  throw new CliError(
    `unrecognized condition: "${text}"; it is condition=NAME[=VALUE], delete, create or jsonpath='{PATH}'[=VALUE]`,
    { exitCode: 2 },
  );
}

function conditionState(parameter: string): WaitCondition {
  const [name = '', value = 'true'] = parameter.split('=');
  return {
    met: 'condition met',
    mayBeAbsent: false,
    holds(object) {
      const status = object && member({ ...object }, 'status');
      const conditions = isObject(status) ? status['conditions'] : undefined;
      if (!Array.isArray(conditions)) return false;
      return conditions
        .filter(isObject)
        .some(
          (condition) =>
            String(condition['type']).toLowerCase() === name.toLowerCase() &&
            String(condition['status']).toLowerCase() === value.toLowerCase() &&
            isCurrent(condition, object),
        );
    },
  };
}

/** A condition that was seen of an older generation says nothing about the present one. */
function isCurrent(condition: Readonly<Record<string, unknown>>, object: KubeObject | undefined): boolean {
  const observed = condition['observedGeneration'];
  const generation = object?.metadata.generation;
  return typeof observed !== 'number' || generation === undefined || observed >= generation;
}

function jsonPathState(parameter: string): WaitCondition {
  const [, path = parameter, wanted] = /^(\{.*\})(?:=(.*))?$/s.exec(parameter) ?? bare(parameter);
  const value = wanted?.replace(/^(['"])(.*)\1$/s, '$2');
  const compiled = compileJsonPath(relaxedJsonPath(path));
  return {
    met: 'condition met',
    mayBeAbsent: false,
    holds(object) {
      const found = compiled.find(object);
      return value === undefined ? found.length > 0 : found.some((one) => scalarText(one) === value);
    },
  };
}

function bare(parameter: string): readonly (string | undefined)[] {
  const equals = parameter.indexOf('=');
  return equals < 0
    ? [parameter, parameter, undefined]
    : [parameter, parameter.slice(0, equals), parameter.slice(equals + 1)];
}
