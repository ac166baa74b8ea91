import type { Clock } from '../../base/clock.ts';
import type { Pod } from '../../api/core/v1.gen.ts';
import { newBadRequest, newNotFound } from '../../machinery/status/errors.ts';
import { allContainersOf } from '../pod-containers.ts';
import type { PodObserver } from '../pod-observer.ts';
import { readLog } from './read-log.ts';

/** The query of a log request (`PodLogOptions`) and what it is about. */
export interface PodLogOptions {
  readonly namespace: string;
  readonly pod: string;
  /** May be left out of a pod with one container. */
  readonly container?: string;
  readonly follow?: boolean;
  readonly previous?: boolean;
  readonly timestamps?: boolean;
  readonly tailLines?: number;
  readonly limitBytes?: number;
  readonly sinceSeconds?: number;
  /** RFC 3339. */
  readonly sinceTime?: string;
  readonly stream?: 'All' | 'Stdout' | 'Stderr';
  /** Ends a followed log. */
  readonly signal?: AbortSignal;
}

export interface PodLogSource {
  readonly pod: Pod;
  readonly observer: PodObserver;
}

/** Finds the log file that a request means and reads it. Throws `StatusError` before anything is read. */
export function podLogs(
  source: PodLogSource | undefined,
  options: PodLogOptions & { readonly clock: Clock; readonly signal: AbortSignal },
): AsyncIterable<Buffer> {
  if (!source) throw newNotFound({ group: '', resource: 'pods' }, options.pod);
  const name = containerName(source.pod, options.container);
  const history = source.observer.histories.get(name) ?? [];
  const ended = history.filter((status) => status.state === 'exited');
  const [newest] = history;
  if (options.previous === true) {
    const status = newest?.state === 'exited' ? ended[1] : ended[0];
    const waiting = source.observer.waiting.has(name) && newest?.state === 'exited' ? newest : undefined;
    const found = waiting ?? status;
    if (!found) {
      throw newBadRequest(`previous terminated container "${name}" in pod "${options.pod}" not found`);
    }
    return readLog(found.logPath, { ...options, since: sinceOf(options), isOver: () => true });
  }
  if (!newest || newest.state === 'created') {
    const reason = source.observer.waiting.get(name)?.reason ?? defaultReason(source.pod);
    throw newBadRequest(`container "${name}" in pod "${options.pod}" is waiting to start: ${reason}`);
  }
  const isOver = (): boolean => {
    const now = source.observer.histories.get(name)?.find((status) => status.id === newest.id);
    return now === undefined || now.state === 'exited';
  };
  return readLog(newest.logPath, { ...options, since: sinceOf(options), isOver });
}

function containerName(pod: Pod, wanted: string | undefined): string {
  const names = allContainersOf(pod).map((container) => container.name);
  const { name: podName = '' } = pod.metadata;
  if (wanted !== undefined && wanted !== '') {
    if (!names.includes(wanted)) throw newBadRequest(`container ${wanted} is not valid for pod ${podName}`);
    return wanted;
  }
  const [only, ...more] = names;
  if (only !== undefined && more.length === 0) return only;
  const main = (pod.spec?.containers ?? []).map((container) => container.name).join(' ');
  const init = (pod.spec?.initContainers ?? []).map((container) => container.name).join(' ');
  const initNote = init === '' ? '' : ` or one of the init containers: [${init}]`;
  throw newBadRequest(
    `a container name must be specified for pod ${podName}, choose one of: [${main}]${initNote}`,
  );
}

function defaultReason(pod: Pod): string {
  return (pod.spec?.initContainers ?? []).length > 0 ? 'PodInitializing' : 'ContainerCreating';
}

/** Milliseconds since the epoch. */
function sinceOf(options: PodLogOptions & { readonly clock: Clock }): number | undefined {
  if (options.sinceSeconds !== undefined) return options.clock.now() - options.sinceSeconds * 1000;
  return options.sinceTime === undefined ? undefined : Date.parse(options.sinceTime);
}
