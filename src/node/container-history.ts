import type { ContainerStatus } from './container-runtime.ts';

/** The attempts of one container, newest first. */
export type ContainerHistory = readonly ContainerStatus[];

/** Groups runtime containers of one pod by container name, newest attempt first. */
export function historiesOf(containers: Iterable<ContainerStatus>): ReadonlyMap<string, ContainerHistory> {
  const histories = new Map<string, ContainerStatus[]>();
  for (const status of containers) {
    const history = histories.get(status.name);
    if (history) history.push(status);
    else histories.set(status.name, [status]);
  }
  for (const history of histories.values()) {
    history.sort((a, b) => b.attempt - a.attempt || b.createdAt - a.createdAt);
  }
  return histories;
}
