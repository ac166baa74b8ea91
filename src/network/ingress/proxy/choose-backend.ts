import type { Route, RouteBackend } from './proxy-configuration.ts';

/** Spreads the requests of each route over its backends by their weights. */
export interface BackendChooser {
  /** Undefined when no backend has any weight. */
  choose(route: Route): RouteBackend | undefined;
}

/** Smooth weighted turns: of weights 3 and 1 every fourth request goes to the second, and never two of its in a row. */
export function createBackendChooser(): BackendChooser {
  const credits = new WeakMap<Route, number[]>();
  return {
    choose(route) {
      const { backends } = route;
      const [only] = backends;
      if (backends.length <= 1) return only && only.weight > 0 ? only : undefined;
      const credit = credits.get(route) ?? backends.map(() => 0);
      credits.set(route, credit);
      let total = 0;
      let best = -1;
      backends.forEach(({ weight }, at) => {
        if (weight <= 0) return;
        total += weight;
        credit[at] = (credit[at] ?? 0) + weight;
        if (best < 0 || (credit[at] ?? 0) > (credit[best] ?? 0)) best = at;
      });
      if (best < 0) return undefined;
      credit[best] = (credit[best] ?? 0) - total;
      return backends[best];
    },
  };
}
