import { frontendKey, type Frontend, type ServicePort } from './service-port.ts';

/** Decides who serves a frontend that several service ports want: the first that asked, until it lets go. */
export interface FrontendOwners {
  /** Takes what a service port (in its new form) wants and lets go what it no longer wants; `undefined`: it is gone. */
  assign(key: string, port: ServicePort | undefined): void;
  /** The frontends that this port may serve. */
  owned(port: ServicePort): readonly Frontend[];
  /** The keys whose frontends may have changed since the last call. */
  takeChanged(): ReadonlySet<string>;
}

/** An empty {@link FrontendOwners}. */
export function createFrontendOwners(): FrontendOwners {
  const claimants = new Map<string, string[]>();
  const wanted = new Map<string, ReadonlySet<string>>();
  let changed = new Set<string>();

  function release(key: string, frontend: string): void {
    const queue = claimants.get(frontend);
    const at = queue?.indexOf(key) ?? -1;
    if (!queue || at < 0) return;
    queue.splice(at, 1);
    if (queue.length === 0) claimants.delete(frontend);
    else if (at === 0 && queue[0] !== undefined) changed.add(queue[0]);
  }

  return {
    assign(key, port) {
      changed.add(key);
      const next = new Set(port?.frontends.map((frontend) => frontendKey(port, frontend)));
      for (const frontend of wanted.get(key) ?? []) if (!next.has(frontend)) release(key, frontend);
      for (const frontend of next) {
        const queue = claimants.get(frontend);
        if (!queue) claimants.set(frontend, [key]);
        else if (!queue.includes(key)) queue.push(key);
      }
      if (port) wanted.set(key, next);
      else wanted.delete(key);
    },
    owned: (port) =>
      port.frontends.filter((frontend) => claimants.get(frontendKey(port, frontend))?.[0] === port.key),
    takeChanged() {
      const keys = changed;
      changed = new Set();
      return keys;
    },
  };
}
