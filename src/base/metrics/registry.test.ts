import { expect, it } from 'vitest';
import { FakeClock } from '../fake-clock.ts';
import { numberText } from './exposition.ts';
import { MetricRegistry } from './registry.ts';

it('writes families in order of names, each with its help, type and values', () => {
  const registry = new MetricRegistry();
  const requests = registry.counter({ name: 'requests_total', help: 'Requests.', labels: ['verb', 'path'] });
  registry.counter({ name: 'never_total', help: 'Never counted.', labels: ['why'] });
  registry.gauge({ name: 'depth', help: 'How many wait.' }).labels().set(3);
  const seconds = registry.histogram({
    name: 'seconds',
    help: 'How long.',
    labels: ['verb'],
    buckets: [0.1, 1],
  });
  registry.reading('gauge', { name: 'read', help: 'Read late.', labels: ['n'] }, () => [[['a'], 7]]);
  requests.labels('get', '/a"b\\c\nd').add();
  requests.labels('get', '/a"b\\c\nd').add(2);
  for (const value of [0.1, 0.5, 5]) seconds.labels('get').observe(value);
  expect(registry.text()).toBe(
    [
      '# HELP depth How many wait.',
      '# TYPE depth gauge',
      'depth 3',
      '# HELP read Read late.',
      '# TYPE read gauge',
      'read{n="a"} 7',
      '# HELP requests_total Requests.',
      '# TYPE requests_total counter',
      'requests_total{verb="get",path="/a\\"b\\\\c\\nd"} 3',
      '# HELP seconds How long.',
      '# TYPE seconds histogram',
      'seconds_bucket{verb="get",le="0.1"} 1',
      'seconds_bucket{verb="get",le="1"} 2',
      'seconds_bucket{verb="get",le="+Inf"} 3',
      'seconds_sum{verb="get"} 5.6',
      'seconds_count{verb="get"} 3',
      '',
    ].join('\n'),
  );
  expect(registry.text((name) => name === 'depth')).toContain('depth 3');
});

it.each([
  [0, '0'],
  [12, '12'],
  [0.005, '0.005'],
  [1_000_000, '1e+06'],
  [1.5e9, '1.5e+09'],
  [1e-8, '1e-08'],
  [Number.POSITIVE_INFINITY, '+Inf'],
])('prints %d as Go does', (value, text) => {
  expect(numberText(value)).toBe(text);
});

it('weighs a value by the nanoseconds for which it was so', async () => {
  const clock = new FakeClock();
  const registry = new MetricRegistry();
  const value = registry.timingHistogram({ name: 'use', help: 'Use.', buckets: [0, 0.5], clock }).labels();
  await clock.advance(2);
  value.set(0.5);
  await clock.advance(3);
  expect(registry.text()).toContain(
    [
      'use_bucket{le="0"} 2e+06',
      'use_bucket{le="0.5"} 5e+06',
      'use_bucket{le="+Inf"} 5e+06',
      'use_sum 1.5e+06',
      'use_count 5e+06',
    ].join('\n'),
  );
});

it('gives quantiles of what was observed lately', async () => {
  const clock = new FakeClock();
  const registry = new MetricRegistry();
  const options = { labels: ['a'], quantiles: [0.5, 0.9], maxAgeMs: 1000, clock };
  const recent = registry.summary({ name: 'took', help: 'Took.', ...options }).labels('b');
  for (let value = 1; value <= 10; value++) recent.observe(value);
  expect(registry.text()).toContain('took{a="b",quantile="0.5"} 5\ntook{a="b",quantile="0.9"} 9\n');
  await clock.advance(2000);
  expect(registry.text()).toContain('took{a="b",quantile="0.5"} NaN\n');
  expect(registry.text()).toContain('took_sum{a="b"} 55\ntook_count{a="b"} 10\n');
});
