import { expect, it } from 'vitest';
import { newConflict, newInternalError } from '../../../machinery/status/errors.ts';
import { MetricRegistry } from '../../../base/metrics/registry.ts';
import { FakeClock } from '../../../base/fake-clock.ts';
import { webhookMetrics } from '../../metrics/webhook-metrics.ts';
import { WebhookCallError } from './webhook-failure.ts';
import { observeCall } from './webhook-observer.ts';

const cm = { group: '', resource: 'configmaps' };

it.each<[string, Error | undefined, boolean, readonly string[]]>([
  ['an answer', undefined, false, ['request_total{…,code="200",rejected="false"} 1']],
  [
    'a refusal',
    newConflict(cm, 'a', 'no'),
    false,
    [
      'rejection_count{…,error_type="no_error",rejection_code="409"} 1',
      'request_total{…,code="409",rejected="true"} 1',
    ],
  ],
  [
    'no answer',
    new WebhookCallError('w', 'x'),
    false,
    [
      'rejection_count{…,error_type="calling_webhook_error",rejection_code="503"} 1',
      'request_total{…,code="503",rejected="true"} 1',
    ],
  ],
  [
    'no answer that matters',
    new WebhookCallError('w', 'x'),
    true,
    ['fail_open_count{name="w",type="admit"} 1', 'request_total{…,code="503",rejected="false"} 1'],
  ],
  [
    'a fault',
    newInternalError('x'),
    false,
    [
      'rejection_count{…,error_type="apiserver_internal_error",rejection_code="0"} 1',
      'request_total{…,code="0",rejected="true"} 1',
    ],
  ],
])('counts %s', async (_, error, ignores, expected) => {
  const registry = new MetricRegistry();
  const observer = webhookMetrics(registry, new FakeClock());
  const about = { name: 'w', type: 'admit', operation: 'CREATE', ignores } as const;
  const call = (): Promise<void> => (error ? Promise.reject(error) : Promise.resolve());
  await observeCall(observer, about, call).catch(() => undefined);
  const lines = registry.text((name) => !name.includes('duration')).split('\n');
  const series = lines
    .filter((line) => line && !line.startsWith('#'))
    .map((line) => line.replace('apiserver_admission_webhook_', ''))
    .map((line) => line.replace('name="w",type="admit",operation="CREATE"', '…'));
  expect(series).toEqual(expected);
});
