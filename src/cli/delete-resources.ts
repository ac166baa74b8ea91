import { sleep } from '../base/clock.ts';
import type { DeleteOptions } from '../client/client.ts';
import type { KubeObject } from '../machinery/object.ts';
import { isStatus } from '../machinery/status-error.ts';
import type { CliContext } from './cli-context.ts';
import { CliError } from './cli-error.ts';
import type { DeleteFlags } from './commands/delete.ts';
import { collectFailures } from './failures.ts';
import { findRefs, type ObjectRefOfType } from './find-objects.ts';
import { typeName } from './resource-args.ts';
import type { Session } from './session.ts';

const pollMs = 100;
const propagation = { background: 'Background', orphan: 'Orphan', foreground: 'Foreground' } as const;

/** Deletes what the arguments of `delete` name, goes on after a failure, and waits until all of it is gone. */
export async function deleteResources(
  context: CliContext,
  session: Session,
  { args, flags }: { readonly args: readonly string[]; readonly flags: DeleteFlags },
): Promise<void> {
  const options = deleteOptions(flags);
  const refs = await findRefs(context, session, { args, ...flags });
  if (refs.length === 0) {
    context.stderr.write('No resources found\n');
    return;
  }
  if (flags.force)
    context.stderr.write(
      'Warning: Immediate deletion does not wait for confirmation that the running resource has been terminated. The resource may continue to run on the cluster indefinitely.\n',
    );
  const failures = collectFailures(context);
  const deleted: DeletedObject[] = [];
  for (const ref of refs) {
    try {
      const uid =
        flags.dryRun === 'client' ? await present(session, ref) : await remove(session, ref, options);
      deleted.push({ ...ref, ...(uid !== undefined && { uid }) });
      context.stdout.write(deletedLine(ref, flags));
    } catch (error) {
      if (flags.ignoreNotFound && isStatus(error, 'NotFound')) continue;
      failures.add(error);
    }
  }
  if (flags.wait && flags.dryRun === 'none') await waitUntilGone(context, session, { deleted, flags });
  failures.throwIfAny();
}

function deleteOptions(flags: DeleteFlags): DeleteOptions {
  const { gracePeriod, now, force } = flags;
  if (now && gracePeriod !== undefined)
    throw new CliError('--now and --grace-period cannot be specified together', { exitCode: 2 });
  if (gracePeriod === 0 && !force)
    throw new CliError(
      '--grace-period=0 needs --force; --now or --grace-period=1 ends the object quickly, too',
      {
        exitCode: 2,
      },
    );
  if (force && gracePeriod !== undefined && gracePeriod > 0)
    throw new CliError('--force and --grace-period greater than 0 cannot be specified together', {
      exitCode: 2,
    });
  const seconds = force ? 0 : now ? 1 : gracePeriod;
  return {
    propagationPolicy: propagation[flags.cascade],
    ...(seconds !== undefined && { gracePeriodSeconds: seconds }),
    ...(flags.dryRun === 'server' && { dryRun: true }),
  };
}

interface DeletedObject extends ObjectRefOfType {
  readonly uid?: string;
}

/** Resolves to the uid of the deleted object, where the server tells it. */
async function remove(
  session: Session,
  { served, ...ref }: ObjectRefOfType,
  options: DeleteOptions,
): Promise<string | undefined> {
  const answer = (await session.client.for(served.type).delete(ref, options)) as Partial<KubeObject> & {
    readonly details?: { readonly uid?: string };
  };
  return answer.metadata?.uid ?? answer.details?.uid;
}

async function present(session: Session, { served, ...ref }: ObjectRefOfType): Promise<string> {
  return (await session.client.for(served.type).get(ref)).metadata.uid;
}

function deletedLine(ref: ObjectRefOfType, flags: DeleteFlags): string {
  const { served, name, namespace } = ref;
  if (flags.output === 'name') return `${typeName(served)}/${name}\n`;
  const trial = flags.dryRun === 'none' ? '' : flags.dryRun === 'server' ? ' (server dry run)' : ' (dry run)';
  const where = namespace === undefined ? '' : ` from ${namespace} namespace`;
  return `${typeName(served)} "${name}" ${flags.force ? 'force ' : ''}deleted${where}${trial}\n`;
}

async function waitUntilGone(
  context: CliContext,
  session: Session,
  { deleted, flags }: { readonly deleted: readonly DeletedObject[]; readonly flags: DeleteFlags },
): Promise<void> {
  const { clock, signal } = context;
  const deadline = flags.timeout ? clock.monotonic() + flags.timeout : Infinity;
  for (const ref of deleted) {
    while (await isThere(session, ref)) {
      if (clock.monotonic() >= deadline)
        throw new CliError(`timed out waiting for the condition on ${typeName(ref.served)}/${ref.name}`);
      await sleep(clock, pollMs, signal);
    }
  }
}

/** Whether the same object is still there; another one of its name is not the same. */
async function isThere(session: Session, { served, uid, ...ref }: DeletedObject): Promise<boolean> {
  try {
    const { metadata } = await session.client.for(served.type).get(ref);
    return uid === undefined || metadata.uid === uid;
  } catch (error) {
    if (isStatus(error, 'NotFound')) return false;
    throw error;
  }
}
