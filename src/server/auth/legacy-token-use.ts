import type { Secret } from '../../api/core/v1.gen.ts';
import type { Clock } from '../../base/clock.ts';
import type { Transport } from '../../machinery/transport.ts';

const lastUsedLabel = 'kubernetes.io/legacy-token-last-used';

export interface TokenUseOptions {
  readonly clock: Clock;
  /** The server itself. */
  server(): Transport;
  onFault(error: unknown): void;
}

/** Notes on secrets, once a day, that their tokens are in use (upstream's legacy token tracking). */
export function trackTokenUse({ clock, server, onFault }: TokenUseOptions): (secret: Secret) => void {
  const noting = new Set<string>();
  return ({ metadata }) => {
    const today = new Date(clock.now()).toISOString().slice(0, 10);
    const { namespace = '', name = '' } = metadata;
    const key = `${namespace}/${name}`;
    if (metadata.labels?.[lastUsedLabel] === today || noting.has(key)) return;
    noting.add(key);
    server()
      .request({
        verb: 'patch',
        group: '',
        version: 'v1',
        resource: 'secrets',
        namespace,
        name,
        patchType: 'application/merge-patch+json',
        body: { metadata: { labels: { [lastUsedLabel]: today } } },
      })
      .catch(onFault)
      .finally(() => noting.delete(key));
  };
}
