/**
 * The hostnames for which a route serves at a listener, as a route table wants them (`**.` for any number of labels): the
 * intersection of both, by the rules of the Gateway API. Empty when they have none in common.
 */
export function hostnamesInCommon(
  listener: string | undefined,
  route: readonly string[] | undefined,
): readonly string[] {
  const own = (listener ?? '').toLowerCase();
  if (!route || route.length === 0) return [tableHost(own)];
  if (own === '') return route.map((host) => tableHost(host.toLowerCase()));
  return route.flatMap((host) => {
    const found = intersection(own, host.toLowerCase());
    return found === undefined ? [] : [tableHost(found)];
  });
}

/** The name of a host in a route table. */
export function tableHost(host: string): string {
  return host.startsWith('*.') ? `*${host}` : host;
}

/** Whether a host exists that two names of a route table both mean. */
export function hostsOverlap(one: string, other: string): boolean {
  if (one === other || one === '' || other === '') return true;
  const [a, b] = [one, other].map((host) => host.replace(/^\*\*/, '*'));
  return intersection(a ?? '', b ?? '') !== undefined;
}

function intersection(listener: string, route: string): string | undefined {
  if (listener === route) return route;
  if (listener.startsWith('*.') && route.endsWith(listener.slice(1))) return route;
  if (route.startsWith('*.') && listener.endsWith(route.slice(1))) return listener;
  return undefined;
}
