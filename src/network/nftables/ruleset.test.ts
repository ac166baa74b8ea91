import { describe, expect, it } from 'vitest';
import type { ServicePort } from '../service-port.ts';
import { renderServicePort } from './render-service-port.ts';
import { emptyPart, RulesetChange } from './ruleset.ts';

const web: ServicePort = {
  key: 'default/web/tcp/80',
  protocol: 'TCP',
  frontends: [
    { role: 'clusterIP', address: '10.96.0.20', port: 80 },
    { role: 'nodePort', port: 30_080 },
  ],
  endpoints: [
    { ip: '10.244.0.2', port: 8080 },
    { ip: '10.244.0.3', port: 8080 },
  ],
};

const render = (port: ServicePort): ReturnType<typeof renderServicePort> =>
  renderServicePort(port, port.frontends, ['10.96.0.0/16']);

function commands(before: ServicePort | undefined, after: ServicePort | undefined): readonly string[] {
  const change = new RulesetChange('ip t');
  change.replace(before ? render(before) : emptyPart, after ? render(after) : emptyPart);
  return change.commands;
}

const chain = 'svc-default/web/tcp/80';

describe('changes of rules', () => {
  it('make a service', () => {
    expect(commands(undefined, web)).toEqual([
      `add chain ip t ${chain}`,
      `add rule ip t ${chain} meta l4proto tcp dnat to numgen inc mod 2 map { 0 : 10.244.0.2 . 8080, 1 : 10.244.0.3 . 8080 }`,
      `add element ip t service-addresses { 10.96.0.20 . tcp . 80 : goto ${chain} }`,
      `add element ip t service-ports { tcp . 30080 : goto ${chain} }`,
    ]);
  });

  it('touch nothing but the chain when an endpoint goes', () => {
    expect(commands(web, { ...web, endpoints: [{ ip: '10.244.0.3', port: 8080 }] })).toEqual([
      `flush chain ip t ${chain}`,
      `add rule ip t ${chain} meta l4proto tcp dnat to 10.244.0.3:8080`,
    ]);
  });

  it('refuse when the last endpoint goes; cluster addresses are refused anyway', () => {
    expect(commands(web, { ...web, endpoints: [] })).toEqual([
      'delete element ip t service-addresses { 10.96.0.20 . tcp . 80 }',
      'delete element ip t service-ports { tcp . 30080 }',
      'add element ip t refused-ports { tcp . 30080 : goto refuse }',
      `flush chain ip t ${chain}`,
      `delete chain ip t ${chain}`,
    ]);
  });

  it('are none when nothing changes', () => {
    expect(commands(web, { ...web })).toEqual([]);
  });

  it('empty all chains before any is deleted', () => {
    const sticky = { ...web, affinitySeconds: 60 };
    const removal = commands(sticky, undefined).map((command) => command.split(' ').slice(0, 2).join(' '));
    expect(removal.lastIndexOf('flush chain')).toBeLessThan(removal.indexOf('delete chain'));
    expect(removal.lastIndexOf('delete chain')).toBeLessThan(removal.indexOf('delete set'));
  });
});
