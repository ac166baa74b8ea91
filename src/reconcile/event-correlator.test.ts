import { describe, expect, it } from 'vitest';
import { FakeClock } from '../base/fake-clock.ts';
import { EventCorrelator } from './event-correlator.ts';

const about = { apiVersion: 'v1', kind: 'Pod', metadata: { namespace: 'default', name: 'web', uid: 'u1' } };
const source = { component: 'kubelet', host: 'node-1' };

function reporter(clock: FakeClock): (message: string) => string {
  const correlator = new EventCorrelator(clock);
  return (message) => {
    const result = correlator.correlate({ about, type: 'Warning', reason: 'BackOff', message, source });
    return result ? `${result.occurrence.count} × ${result.occurrence.message}` : 'dropped';
  };
}

describe('EventCorrelator', () => {
  it('counts repeats of one message', () => {
    const report = reporter(new FakeClock());
    expect([report('a'), report('a'), report('b'), report('a')]).toEqual([
      '1 × a',
      '2 × a',
      '1 × b',
      '3 × a',
    ]);
  });

  it('folds the tenth different message into a combined one', () => {
    const report = reporter(new FakeClock());
    for (let n = 1; n < 10; n++) report(`m${n}`);
    expect([report('m10'), report('m11')]).toEqual([
      '1 × (combined from similar events): m10',
      '2 × (combined from similar events): m11',
    ]);
  });

  it('drops the twenty-sixth at once and lets one through every five minutes', async () => {
    const clock = new FakeClock();
    const report = reporter(clock);
    for (let n = 0; n < 25; n++) report('a');
    const flooded = report('a');
    await clock.advance(300_000);
    expect([flooded, report('a'), report('a')]).toEqual(['dropped', '27 × a', 'dropped']);
  });
});
