import { expect, it } from 'vitest';
import { deviceOptions } from './container-device-options.ts';

const nothing = { envs: {}, mounts: [], devices: [], annotations: {}, cdi_devices: [] };

it('joins what several plug-ins give; where two give the same, the first counts', () => {
  const options = deviceOptions([
    {
      ...nothing,
      envs: { A: '1' },
      devices: [{ container_path: '/dev/x', host_path: '/dev/one', permissions: 'r' }],
      cdi_devices: [{ name: 'v/c=x' }],
    },
    {
      envs: { A: '2', B: '3' },
      mounts: [{ container_path: '/m', host_path: '/h', read_only: true }],
      devices: [{ container_path: '/dev/x', host_path: '/dev/two', permissions: '' }],
      annotations: { a: 'b' },
      cdi_devices: [{ name: 'v/c=x' }, { name: 'v/c=y' }],
    },
  ]);
  expect({ ...options, env: options.env.toSorted((a, b) => a.name.localeCompare(b.name)) }).toEqual({
    env: [
      { name: 'A', value: '1' },
      { name: 'B', value: '3' },
    ],
    mounts: [{ hostPath: '/h', containerPath: '/m', readOnly: true }],
    devices: [{ hostPath: '/dev/one', containerPath: '/dev/x', permissions: 'r' }],
    annotations: { a: 'b' },
    cdi: ['v/c=x', 'v/c=y'],
  });
});
