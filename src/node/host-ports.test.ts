import { expect, it } from 'vitest';
import type { ContainerPort, Pod } from '../api/core/v1.gen.ts';
import { hostPortsConflict } from './host-ports.ts';

/** A pod with a port in words: `TCP 8080`, with an address `UDP 53 10.0.0.1`. */
function pod(text: string): Pod {
  const [protocol, port = '', hostIP] = text.split(' ');
  const ports: ContainerPort[] = [
    {
      containerPort: 80,
      protocol: protocol === 'UDP' ? 'UDP' : 'TCP',
      ...(port !== '' && { hostPort: Number(port) }),
      ...(hostIP !== undefined && { hostIP }),
    },
  ];
  return { apiVersion: 'v1', kind: 'Pod', metadata: {}, spec: { containers: [{ name: 'c', ports }] } };
}

it.each([
  ['TCP 8080', 'TCP 8080', true],
  ['TCP 8080', 'TCP 8081', false],
  ['TCP 8080', 'UDP 8080', false],
  ['TCP', 'TCP', false],
  ['TCP 8080 10.0.0.1', 'TCP 8080', true],
  ['TCP 8080', 'TCP 8080 10.0.0.1', true],
  ['TCP 8080 10.0.0.1', 'TCP 8080 10.0.0.1', true],
  ['TCP 8080 10.0.0.1', 'TCP 8080 10.0.0.2', false],
])('%s beside %s: conflict %s', (one, other, conflict) => {
  expect(hostPortsConflict(pod(one), pod(other))).toBe(conflict);
});
