import { expect, it } from 'vitest';
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
