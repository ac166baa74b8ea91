import { describe, expect, it } from 'vitest';
import { endpointSlices } from './endpoint-slices.ts';
import type { EndpointSlice } from './v1.gen.ts';

function slice(fields: Partial<Pick<EndpointSlice, 'addressType' | 'endpoints' | 'ports'>>): EndpointSlice {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: 'es' },
    addressType: 'IPv4',
    endpoints: [],
    ports: [],
    ...fields,
  };
}

function at(...addresses: string[]): { endpoints: { addresses: string[] }[] } {
  return { endpoints: [{ addresses }] };
}

describe('endpoint slices', () => {
  it.each<[string, EndpointSlice, string[]]>([
    ['good', slice({ ...at('10.1.2.3'), ports: [{ name: '', protocol: 'TCP' }] }), []],
    ['no address', slice(at()), ['endpoints[0].addresses: Required value: must contain at least 1 address']],
    [
      'no address at all',
      slice(at('x')),
      [
        'endpoints[0].addresses[0]: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
      ],
    ],
    [
      'the other family',
      slice(at('fd00::1')),
      ['endpoints[0].addresses: Invalid value: "fd00::1": must be an IPv4 address'],
    ],
    [
      'loopback',
      slice(at('127.0.0.1')),
      [
        'endpoints[0].addresses[0]: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)',
      ],
    ],
    [
      'long form',
      slice({ addressType: 'IPv6', ...at('FD00:0::1') }),
      ['endpoints[0].addresses[0]: Invalid value: "FD00:0::1": must be in canonical form ("fd00::1")'],
    ],
    [
      'odd type',
      slice({ addressType: 'X' }),
      ['addressType: Unsupported value: "X": supported values: "FQDN", "IPv4", "IPv6"'],
    ],
    [
      'two ports of one name',
      slice({
        ports: [
          { name: 'a', protocol: 'TCP' },
          { name: 'a', protocol: 'HTTP' },
        ],
      }),
      [
        'ports[1].name: Duplicate value: "a"',
        'ports[1].protocol: Unsupported value: "HTTP": supported values: "SCTP", "TCP", "UDP"',
      ],
    ],
  ])('validate: %s', (_name, object, errors) => {
    expect(endpointSlices.validate?.(object).map(({ field, message }) => `${field}: ${message}`)).toEqual(
      errors,
    );
  });

  it.each([
    [slice({}), ['es', 'IPv4', '<unset>', '<unset>', '<unknown>']],
    [
      slice({ ...at('10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.4'), ports: [{ port: 80 }, {}] }),
      ['es', 'IPv4', '80,*', '10.0.0.1,10.0.0.2,10.0.0.3 + 1 more...', '<unknown>'],
    ],
  ])('print three of each', (object, cells) => {
    expect(endpointSlices.columns?.map((column) => column.cell(object, 0))).toEqual(cells);
  });
});
