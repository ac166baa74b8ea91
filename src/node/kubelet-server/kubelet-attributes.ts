/** What a request to a kubelet's endpoint needs leave for: one of the subresources of the node is enough. */
export interface KubeletAttributes {
  readonly verb: string;
  /** The most particular first. */
  readonly subresources: readonly string[];
}

const VERBS: Readonly<Record<string, string>> = {
  POST: 'create',
  GET: 'get',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
};

/** First part of a path and the subresource of `nodes` that stands for it (kubelet authorisation, KEP-2862). */
const OWN: Readonly<Record<string, readonly string[]>> = {
  stats: ['stats'],
  metrics: ['metrics'],
  logs: ['log'],
  checkpoint: ['checkpoint'],
  statusz: ['statusz', 'proxy'],
  pods: ['pods', 'proxy'],
  runningpods: ['pods', 'proxy'],
  healthz: ['healthz', 'proxy'],
  configz: ['configz', 'proxy'],
};

/** What must be allowed for a request. */
export function kubeletAttributes(method: string, path: string): KubeletAttributes {
  const [, first = ''] = path.split('/');
  const own = Object.hasOwn(OWN, first) ? OWN[first] : undefined;
  return { verb: VERBS[method] ?? '', subresources: own ?? ['proxy'] };
}
