import { describe, expect, it } from 'vitest';
import type { FieldError } from '../../machinery/field-error.ts';
import { deviceClasses } from './device-classes.ts';
import { resourceClaims } from './resource-claims.ts';
import { resourceSlices } from './resource-slices.ts';
import type {
  Device,
  DeviceClass,
  DeviceClaim,
  ResourceClaim,
  ResourceClaimStatus,
  ResourceSlice,
} from './v1.gen.ts';

function texts(errors: readonly FieldError[] | undefined): string[] {
  return (errors ?? []).map(({ field, message }) => `${field}: ${message}`);
}

const apiVersion = 'resource.k8s.io/v1';

function claim(devices: DeviceClaim, status: ResourceClaimStatus = {}): ResourceClaim {
  const made: ResourceClaim = {
    apiVersion,
    kind: 'ResourceClaim',
    metadata: { name: 'c', namespace: 'n' },
    spec: { devices },
    status,
  };
  resourceClaims.versions['v1']?.defaults?.(made as never);
  return made;
}

const gpu = { name: 'gpu', exactly: { deviceClassName: 'gpu.example.com' } };

describe('claims', () => {
  it('ask for one device unless they say otherwise', () => {
    expect(claim({ requests: [structuredClone(gpu)] }).spec.devices.requests[0]?.exactly).toEqual({
      deviceClassName: 'gpu.example.com',
      allocationMode: 'ExactCount',
      count: 1,
    });
  });

  it.each<[string, DeviceClaim, string[]]>([
    ['good', { requests: [gpu] }, []],
    ['twice', { requests: [gpu, gpu] }, ['spec.devices.requests[1]: Duplicate value: "gpu"']],
    [
      'neither',
      { requests: [{ name: 'a' }] },
      ['spec.devices.requests[0]: Required value: exactly one of `exactly` or `firstAvailable` is required'],
    ],
    [
      'constraint on another request',
      { requests: [gpu], constraints: [{ requests: ['x'], matchAttribute: 'example.com/model' }] },
      [
        'spec.devices.constraints[0].requests[0]: Invalid value: "x": must be the name of a request in the claim or the name of a request and a subrequest separated by \'/\'',
      ],
    ],
    [
      'unqualified attribute',
      { requests: [gpu], constraints: [{ matchAttribute: 'model' }] },
      [
        'spec.devices.constraints[0].matchAttribute: Invalid value: "model": a fully qualified name must be a domain and a name separated by a slash',
      ],
    ],
    [
      'parameters that are no object',
      { requests: [gpu], config: [{ opaque: { driver: 'd.example.com', parameters: [] as never } }] },
      [
        'spec.devices.config[0].opaque.parameters: Invalid value: "<value omitted>": must be a valid JSON object',
      ],
    ],
  ])('%s', (_name, devices, errors) => {
    expect(texts(resourceClaims.validate?.(claim(structuredClone(devices))))).toEqual(errors);
  });

  it('report only devices that they have', () => {
    const allocation = {
      devices: { results: [{ request: 'gpu', driver: 'd.io', pool: 'p', device: 'd0' }] },
    };
    const device = { driver: 'd.io', pool: 'p', device: 'd1', conditions: [] };
    const next = claim({ requests: [gpu] }, { allocation, devices: [device] });
    const old = claim({ requests: [gpu] }) as never;
    expect(texts(resourceClaims.status?.validate?.(next, old))).toEqual([
      'status.devices[0]: Invalid value: {"Driver":"d.io","Pool":"p","Device":"d1","ShareID":""}: must be an allocated device in the claim',
    ]);
  });
});

describe('classes', () => {
  it.each<[string, string[]]>([
    ["device.driver == 'd.io'", []],
    ["device.attributes['d.io'].model == 'a'", []],
    ['device.driver', ['must evaluate to bool or the unknown type, not string']],
    [
      'device.color == 1',
      ["compilation failed: ERROR: <input>:1:7: undefined field 'color'\n | device.color == 1\n | ......^"],
    ],
  ])('%s', (expression, details) => {
    const object: DeviceClass = {
      apiVersion,
      kind: 'DeviceClass',
      metadata: { name: 'c' },
      spec: { selectors: [{ cel: { expression } }] },
    };
    const prefix = `spec.selectors[0].cel.expression: Invalid value: ${JSON.stringify(expression)}: `;
    expect(texts(deviceClasses.validate?.(object))).toEqual(details.map((detail) => `${prefix}${detail}`));
  });
});

describe('slices', () => {
  const slice = (device: Partial<Device>): ResourceSlice => ({
    apiVersion,
    kind: 'ResourceSlice',
    metadata: { name: 's' },
    spec: {
      driver: 'd.io',
      pool: { name: 'p', generation: 1, resourceSliceCount: 1 },
      nodeName: 'n1',
      devices: [{ name: 'd0', ...device }],
    },
  });
  const at = 'spec.devices[0]';
  const shared = (requestPolicy: object): Partial<Device> => ({
    allowMultipleAllocations: true,
    capacity: { memory: { value: '10Gi', requestPolicy: requestPolicy as never } },
  });
  const policy = `${at}.capacity[memory].requestPolicy`;

  it.each<[string, Partial<Device>, string[]]>([
    ['good', { attributes: { model: { string: 'a' }, 'd.io/v': { version: '1.2.3' } } }, []],
    [
      'no value',
      { attributes: { a: {} } },
      [`${at}.attributes[a]: Invalid value: "": exactly one value must be specified`],
    ],
    [
      'no version',
      { attributes: { a: { version: '1' } } },
      [
        `${at}.attributes[a].version: Invalid value: "1": must be a string compatible with semver.org spec 2.0.0`,
      ],
    ],
    ['range', shared({ default: '1Gi', validRange: { min: '1Gi', max: '9Gi', step: '2Gi' } }), []],
    [
      'no step',
      shared({ default: '2Gi', validRange: { min: '1Gi', step: '2Gi' } }),
      [
        `${policy}.validRange.step: Invalid value: "2Gi": value is not a multiple of a given step (2Gi) from (1Gi)`,
      ],
    ],
    [
      'no default',
      shared({ default: '3Gi', validValues: ['1Gi', '2Gi'] }),
      [
        `${policy}.validValues: Invalid value: "3Gi": default value is not valid according to the requestPolicy`,
      ],
    ],
    [
      'nowhere',
      { nodeName: 'n2' },
      [
        `${at}: Invalid value: null: \`nodeName\`, \`nodeSelector\` and \`allNodes\` can only be set if \`perDeviceNodeSelection\` is set to true in the ResourceSlice spec`,
      ],
    ],
    [
      'conditions',
      { bindingConditions: ['a.io/ready'] },
      [
        `${at}.bindingFailureConditions: Invalid value: []: bindingFailureConditions are required to use bindingConditions`,
      ],
    ],
  ])('%s', (_name, device, errors) => {
    expect(texts(resourceSlices.validate?.(slice(device)))).toEqual(errors);
  });
});
