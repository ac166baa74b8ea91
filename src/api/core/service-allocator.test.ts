import { describe, expect, it } from 'vitest';
import type { DeepMutable } from '../../machinery/object.ts';
import { serviceAllocator } from './service-allocator.ts';
import { defaultService } from './service-defaults.ts';
import type { Service, ServiceSpec } from './v1.gen.ts';

function service(spec: ServiceSpec): DeepMutable<Service> {
  const made: Service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 's' },
    spec: { ports: [{ port: 80 }], selector: { a: 'b' }, ...spec },
  };
  const copy = structuredClone(made) as DeepMutable<Service>;
  defaultService(copy);
  return copy;
}

function allocated(allocator: ReturnType<typeof serviceAllocator>, spec: ServiceSpec): DeepMutable<Service> {
  const made = service(spec);
  allocator.allocate(made, undefined).commit();
  return made;
}

describe('serviceAllocator', () => {
  it('gives an address outside of the band for certain addresses, and the families', () => {
    const { spec } = allocated(serviceAllocator('10.96.0.0/16'), {});
    expect(spec).toMatchObject({
      clusterIP: '10.96.1.1',
      clusterIPs: ['10.96.1.1'],
      ipFamilies: ['IPv4'],
      ipFamilyPolicy: 'SingleStack',
    });
  });

  it.each<[string, ServiceSpec, string]>([
    [
      'an address of another range',
      { clusterIP: '203.0.113.7' },
      'spec.clusterIPs: Invalid value: ["203.0.113.7"]: failed to allocate IP 203.0.113.7: the provided network does not match the current range',
    ],
    [
      'an address that is taken',
      { clusterIP: '10.96.0.10' },
      'spec.clusterIPs: Invalid value: ["10.96.0.10"]: failed to allocate IP 10.96.0.10: provided IP is already allocated',
    ],
    [
      'two families',
      { ipFamilyPolicy: 'RequireDualStack' },
      'spec.ipFamilyPolicy: Invalid value: "RequireDualStack": this cluster is not configured for dual-stack services',
    ],
    [
      'a low node port',
      { type: 'NodePort', ports: [{ port: 80, nodePort: 80 }] },
      'spec.ports[0].nodePort: Invalid value: 80: provided port is not in the valid range. The range of valid ports is 30000-32767',
    ],
  ])('refuses %s', (_name, spec, message) => {
    const allocator = serviceAllocator('10.96.0.0/16');
    allocated(allocator, { clusterIP: '10.96.0.10' });
    expect(() => allocator.allocate(service(spec), undefined)).toThrow(`Service "s" is invalid: ${message}`);
  });

  it('shares a node port between protocols of one port, but not between ports', () => {
    const allocator = serviceAllocator('10.96.0.0/16');
    const { spec } = allocated(allocator, {
      type: 'NodePort',
      ports: [
        { name: 'a', port: 53 },
        { name: 'b', port: 53, protocol: 'UDP' },
        { name: 'c', port: 80 },
      ],
    });
    const [first, second, third] = spec.ports ?? [];
    expect(first?.nodePort).toBe(second?.nodePort);
    expect(third?.nodePort).not.toBe(first?.nodePort);
  });

  it('gives back what was rolled back and what was released', () => {
    const allocator = serviceAllocator('10.96.0.0/16');
    const wanted = { clusterIP: '10.96.0.20' };
    allocator.allocate(service(wanted), undefined).rollback();
    const kept = allocated(allocator, wanted);
    expect(() => allocator.allocate(service(wanted), undefined)).toThrow('already allocated');
    allocator.release(kept);
    expect(allocated(allocator, wanted).spec.clusterIP).toBe('10.96.0.20');
  });

  it('keeps an update’s address and node ports, and frees those of a type that has none', () => {
    const allocator = serviceAllocator('10.96.0.0/16');
    const before = allocated(allocator, { type: 'NodePort' });
    const next = service({ type: 'NodePort' });
    allocator.allocate(next, before).commit();
    expect(next.spec.clusterIP).toBe(before.spec.clusterIP);
    expect(next.spec.ports).toEqual(before.spec.ports);
    const plain = service({ type: 'ClusterIP' });
    allocator.allocate(plain, next).commit();
    const nodePort = before.spec.ports?.[0]?.nodePort ?? 0;
    expect(
      allocated(allocator, { type: 'NodePort', ports: [{ port: 1, nodePort }] }).spec.ports,
    ).toHaveLength(1);
  });

  it('knows the services that were stored before', () => {
    const allocator = serviceAllocator('10.96.0.0/16');
    allocator.restore([service({ clusterIP: '10.96.1.1', clusterIPs: ['10.96.1.1'] })]);
    expect(allocated(allocator, {}).spec.clusterIP).toBe('10.96.1.2');
  });

  describe('of two families', () => {
    const dual = '10.96.0.0/16,fd00:10:96::/112';

    it.each<[string, ServiceSpec, ServiceSpec]>([
      [
        'one family by default',
        {},
        { clusterIPs: ['10.96.1.1'], ipFamilies: ['IPv4'], ipFamilyPolicy: 'SingleStack' },
      ],
      [
        'both where two are preferred',
        { ipFamilyPolicy: 'PreferDualStack' },
        { clusterIPs: ['10.96.1.1', 'fd00:10:96::101'], ipFamilies: ['IPv4', 'IPv6'] },
      ],
      [
        'both in the order asked for',
        { ipFamilyPolicy: 'RequireDualStack', ipFamilies: ['IPv6'] },
        {
          clusterIP: 'fd00:10:96::101',
          clusterIPs: ['fd00:10:96::101', '10.96.1.1'],
          ipFamilies: ['IPv6', 'IPv4'],
        },
      ],
      [
        'the other family alone',
        { ipFamilies: ['IPv6'] },
        { clusterIP: 'fd00:10:96::101', clusterIPs: ['fd00:10:96::101'], ipFamilyPolicy: 'SingleStack' },
      ],
      [
        'the family of the address asked for',
        { clusterIP: 'fd00:10:96::7' },
        { clusterIPs: ['fd00:10:96::7'], ipFamilies: ['IPv6'] },
      ],
      [
        'both addresses asked for',
        {
          ipFamilyPolicy: 'PreferDualStack',
          clusterIP: '10.96.0.9',
          clusterIPs: ['10.96.0.9', 'fd00:10:96::9'],
        },
        { clusterIPs: ['10.96.0.9', 'fd00:10:96::9'], ipFamilies: ['IPv4', 'IPv6'] },
      ],
      [
        'families but no address to headless services',
        { clusterIP: 'None', ipFamilyPolicy: 'PreferDualStack' },
        { clusterIPs: ['None'], ipFamilies: ['IPv4', 'IPv6'] },
      ],
    ])('gives %s', (_name, spec, expected) => {
      expect(allocated(serviceAllocator(dual), spec).spec).toMatchObject(expected);
    });

    it('adds the other family on an upgrade and takes it back on a downgrade', () => {
      const allocator = serviceAllocator(dual);
      const single = allocated(allocator, {});
      const both = service({ ...single.spec, ipFamilyPolicy: 'PreferDualStack' });
      allocator.allocate(both, single).commit();
      expect(both.spec.clusterIPs).toEqual(['10.96.1.1', 'fd00:10:96::101']);
      const again = service({ ...both.spec, ipFamilyPolicy: 'SingleStack' });
      allocator.allocate(again, both).commit();
      expect(again.spec).toMatchObject({ clusterIPs: ['10.96.1.1'], ipFamilies: ['IPv4'] });
      expect(allocated(allocator, { clusterIP: 'fd00:10:96::101' }).spec.clusterIP).toBe('fd00:10:96::101');
    });

    it('keeps the second address of an update that says nothing of it', () => {
      const allocator = serviceAllocator(dual);
      const both = allocated(allocator, { ipFamilyPolicy: 'RequireDualStack' });
      const next = service({});
      allocator.allocate(next, both).commit();
      expect(next.spec).toMatchObject({
        clusterIPs: both.spec.clusterIPs,
        ipFamilies: ['IPv4', 'IPv6'],
        ipFamilyPolicy: 'RequireDualStack',
      });
    });

    it.each<[string, ServiceSpec, string]>([
      [
        'two addresses of a single stack',
        { clusterIP: '10.96.0.9', clusterIPs: ['10.96.0.9', 'fd00:10:96::9'], ipFamilyPolicy: 'SingleStack' },
        `spec.ipFamilyPolicy: Invalid value: "SingleStack": must be 'RequireDualStack' or 'PreferDualStack' when multiple cluster IPs are specified`,
      ],
      [
        'two families without a policy',
        { ipFamilies: ['IPv4', 'IPv6'] },
        `spec.ipFamilyPolicy: Invalid value: "SingleStack": must be 'RequireDualStack' or 'PreferDualStack' when multiple IP families are specified`,
      ],
      [
        'an address of another range',
        { clusterIP: 'fd00:99::1' },
        'spec.clusterIPs: Invalid value: ["fd00:99::1"]: failed to allocate IP fd00:99::1: the provided network does not match the current range',
      ],
      [
        'an address that is taken, however it is written',
        { clusterIP: 'FD00:10:96:0::1' },
        'spec.clusterIPs: Invalid value: ["FD00:10:96:0::1"]: failed to allocate IP FD00:10:96:0::1: provided IP is already allocated',
      ],
    ])('refuses %s', (_name, spec, message) => {
      const allocator = serviceAllocator(dual);
      allocated(allocator, { clusterIP: 'fd00:10:96::1' });
      expect(() => allocator.allocate(service(spec), undefined)).toThrow(
        `Service "s" is invalid: ${message}`,
      );
    });

    it('refuses to give up a family without saying so', () => {
      const allocator = serviceAllocator(dual);
      const both = allocated(allocator, { ipFamilyPolicy: 'PreferDualStack' });
      const next = service({ ...both.spec, ipFamilies: ['IPv4'] });
      expect(() => allocator.allocate(next, both)).toThrow(
        `spec.ipFamilyPolicy: Invalid value: "PreferDualStack": must be 'SingleStack' to release the secondary IP family`,
      );
    });
  });
});
