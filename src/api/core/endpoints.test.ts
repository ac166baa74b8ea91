import { describe, expect, it } from 'vitest';
import { endpoints } from './endpoints.ts';
import type { Endpoints, EndpointSubset } from './v1.gen.ts';

function object(...subsets: EndpointSubset[]): Endpoints {
  return { apiVersion: 'v1', kind: 'Endpoints', metadata: { name: 'e' }, subsets };
}

const ip = '10.0.0.1';

describe('endpoints', () => {
  it.each<[string, EndpointSubset, string[]]>([
    ['good', { addresses: [{ ip }], ports: [{ port: 80, protocol: 'TCP' }] }, []],
    [
      'no address',
      { ports: [{ port: 80, protocol: 'TCP' }] },
      ['subsets[0]: Required value: must specify `addresses` or `notReadyAddresses`'],
    ],
    [
      'an empty address',
      { addresses: [{ ip: '' }] },
      [
        'subsets[0].addresses[0].ip: Invalid value: "": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
        'subsets[0].addresses[0].ip: Invalid value: "": must be a valid IP address',
      ],
    ],
    [
      'unspecified',
      { addresses: [{ ip: '0.0.0.0' }] },
      ['subsets[0].addresses[0].ip: Invalid value: "0.0.0.0": may not be unspecified (0.0.0.0)'],
    ],
    [
      'link-local',
      { notReadyAddresses: [{ ip: '169.254.0.1' }] },
      [
        'subsets[0].notReadyAddresses[0].ip: Invalid value: "169.254.0.1": may not be in the link-local range (169.254.0.0/16, fe80::/10)',
      ],
    ],
    [
      'two ports without names',
      {
        addresses: [{ ip }],
        ports: [
          { port: 80, protocol: 'TCP' },
          { port: 0, protocol: 'TCP' },
        ],
      },
      [
        'subsets[0].ports[0].name: Required value',
        'subsets[0].ports[1].name: Required value',
        'subsets[0].ports[1].port: Invalid value: 0: must be between 1 and 65535, inclusive',
      ],
    ],
  ])('validate: %s', (_name, subset, errors) => {
    expect(endpoints.validate?.(object(subset)).map(({ field, message }) => `${field}: ${message}`)).toEqual(
      errors,
    );
  });

  it.each<[Endpoints, string]>([
    [object(), '<none>'],
    [object({ notReadyAddresses: [{ ip }], ports: [{ port: 80 }] }), '<none>'],
    [
      object({ addresses: [{ ip }, { ip: 'fd00::1' }], ports: [{ port: 80 }, { port: 81 }] }),
      '10.0.0.1:80,10.0.0.1:81,[fd00::1]:80 + 1 more...',
    ],
    [object({ addresses: [{ ip }] }), '10.0.0.1'],
  ])('print addresses with ports', (row, cell) => {
    expect(endpoints.columns?.[1]?.cell(row, 0)).toBe(cell);
  });
});
