import { expect, it } from 'vitest';
import { FakeClock } from '../../base/fake-clock.ts';
import { MetricRegistry } from '../../base/metrics/registry.ts';
import { tokenCacheMetrics } from '../metrics/token-cache-metrics.ts';
import { createTokenWebhook } from './token-webhook.ts';

it('asks once about a token, again when it could not ask, and counts both', async () => {
  const clock = new FakeClock();
  const registry = new MetricRegistry();
  const asked: string[] = [];
  const webhook = createTokenWebhook({
    clock,
    apiAudiences: ['api'],
    observer: tokenCacheMetrics(registry, clock),
    review({ spec, ...review }) {
      const { token = '' } = spec;
      asked.push(token);
      if (token === 'broken') return Promise.reject(new Error('no answer'));
      const status = { authenticated: true, user: { username: 'jo' }, audiences: ['api'] };
      return Promise.resolve({ ...review, spec, status });
    },
  });
  const look = async (token: string): Promise<unknown> => webhook.authenticate(token, ['api']);
  await Promise.all(['good', 'good', 'broken'].map(look));
  await look('good');
  expect(await look('broken')).toEqual({ error: 'no answer' });
  expect(asked).toEqual(['good', 'broken', 'broken']);
  const lines = registry.text().split('\n');
  expect(lines.filter((line) => /^authentication_token_cache_\w+(total|fetch_count)\{/.test(line))).toEqual([
    'authentication_token_cache_active_fetch_count{status="in_flight"} 0',
    'authentication_token_cache_active_fetch_count{status="blocked"} 0',
    'authentication_token_cache_fetch_total{status="ok"} 1',
    'authentication_token_cache_fetch_total{status="error"} 2',
    'authentication_token_cache_request_total{status="miss"} 3',
    'authentication_token_cache_request_total{status="hit"} 2',
  ]);
});
