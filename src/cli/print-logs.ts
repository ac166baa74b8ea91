import { pods, type Pod } from '../api/core/v1.gen.ts';
import { streamLogs, type LogOptions } from '../client/streams.ts';
import type { Live } from '../machinery/object.ts';
import { chooseContainer, containerNames } from './choose-container.ts';
import type { CliContext } from './cli-context.ts';
import { CliError } from './cli-error.ts';
import type { LogsFlags } from './commands/logs.ts';
import { podsOf } from './pods-of.ts';
import type { Session } from './session.ts';

interface Source {
  readonly pod: string;
  readonly container: string;
}

const selectedTail = 10;

/** Prints the logs that the arguments of `logs` name: one after the other, or side by side when they are followed. */
export async function printLogs(
  context: CliContext,
  session: Session,
  { pod, flags }: { readonly pod?: string; readonly flags: LogsFlags },
): Promise<void> {
  if ((pod === undefined) === (flags.selector === undefined))
    throw new CliError('expected a POD or TYPE/NAME, or a selector: kanoe logs POD, kanoe logs -l app=web', {
      exitCode: 2,
    });
  if (flags.sinceTime !== undefined && flags.since !== undefined)
    throw new CliError('at most one of --since-time and --since may be used', { exitCode: 2 });
  const chosen = pod === undefined ? await selected(session, flags) : [await named(context, session, pod)];
  const sources = chosen.flatMap((one) => sourcesOf(context, one, flags));
  if (flags.follow && sources.length > flags.maxLogRequests)
    throw new CliError(
      `you are attempting to follow ${sources.length} log streams, but maximum allowed concurrency is ${flags.maxLogRequests}, use --max-log-requests to increase the limit`,
    );
  const print = (source: Source): Promise<void> => printOne(context, session, { source, flags });
  try {
    if (flags.follow) await Promise.all(sources.map(print));
    else for (const source of sources) await print(source);
  } catch (error) {
    if (!(flags.follow && context.signal.aborted)) throw error;
  }
}

async function selected(session: Session, { selector = '' }: LogsFlags): Promise<readonly Live<Pod>[]> {
  const { items } = await session.client
    .for(pods)
    .list({ namespace: session.namespace, labelSelector: selector });
  if (items.length === 0) throw new CliError(`No resources found in ${session.namespace} namespace.`);
  return items;
}

async function named(context: CliContext, session: Session, argument: string): Promise<Live<Pod>> {
  const { pods: found } = await podsOf(session, argument);
  const [best] = found;
  if (found.length > 1) context.stderr.write(`Found ${found.length} pods, using pod/${best.metadata.name}\n`);
  return best;
}

function sourcesOf(context: CliContext, pod: Live<Pod>, flags: LogsFlags): Source[] {
  const { name } = pod.metadata;
  if (flags.allContainers) return containerNames(pod).map((container) => ({ pod: name, container }));
  return [{ pod: name, container: chooseContainer(context, pod, flags.container) }];
}

function logOptions(context: CliContext, flags: LogsFlags): LogOptions {
  const tail = flags.tail ?? (flags.selector === undefined ? -1 : selectedTail);
  return {
    signal: context.signal,
    ...(flags.follow && { follow: true }),
    ...(flags.previous && { previous: true }),
    ...(flags.timestamps && { timestamps: true }),
    ...(tail >= 0 && { tailLines: tail }),
    ...(flags.since !== undefined && { sinceSeconds: Math.ceil(flags.since / 1000) }),
    ...(flags.sinceTime !== undefined && { sinceTime: flags.sinceTime }),
    ...(flags.limitBytes !== undefined && { limitBytes: flags.limitBytes }),
  };
}

async function printOne(
  context: CliContext,
  session: Session,
  { source, flags }: { readonly source: Source; readonly flags: LogsFlags },
): Promise<void> {
  const target = { namespace: session.namespace, ...source };
  const chunks = streamLogs(session.connection, target, logOptions(context, flags));
  const texts = flags.prefix ? prefixed(chunks, `[pod/${source.pod}/${source.container}] `) : chunks;
  for await (const text of texts) await written(context, text);
}

/** Resolves when the output takes more. */
async function written(context: CliContext, text: string | Buffer): Promise<void> {
  if (context.stdout.write(text)) return;
  await new Promise<void>((resolve) => {
    context.stdout.once('drain', resolve);
  });
}

async function* prefixed(chunks: AsyncIterable<Buffer>, prefix: string): AsyncGenerator<Buffer> {
  let rest = Buffer.alloc(0);
  const line = (bytes: Buffer): Buffer => Buffer.concat([Buffer.from(prefix), bytes]);
  for await (const chunk of chunks) {
    rest = Buffer.concat([rest, chunk]);
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
      yield line(rest.subarray(0, end + 1));
      rest = rest.subarray(end + 1);
    }
  }
  if (rest.length > 0) yield line(rest);
}
