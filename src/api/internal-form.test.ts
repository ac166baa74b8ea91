import { describe, expect, it } from 'vitest';
import { internalCore } from './core/internal-types.ts';
import { internalForm } from './internal-form.ts';

const print = internalForm(`
Outer: +ObjectMeta Name Count# On! Amount% Any? Inner:Inner Pointer*Inner List[Inner +Embedded
Inner: Text(other) ^Name
Embedded: IPAddress
`);

describe('internalForm', () => {
  it('prints every field that is not set', () => {
    expect(print('Outer', {})).toEqual({
      Name: '',
      Count: 0,
      On: false,
      Amount: '0',
      Any: null,
      Inner: { Text: '', Name: '' },
      Pointer: null,
      List: null,
      IPAddress: '',
    });
  });

  it('finds the fields of JSON', () => {
    const value = {
      metadata: { annotations: { a: 'b' }, labels: { c: 'd' } },
      name: 'n',
      any: [1],
      inner: { other: 'o' },
      list: [{}],
      ipAddress: '10.0.0.1',
    };
    expect(print('Outer', value)).toEqual({
      labels: { c: 'd' },
      annotations: { a: 'b' },
      Name: 'n',
      Count: 0,
      On: false,
      Amount: '0',
      Any: [1],
      Inner: { Text: 'o', Name: 'n' },
      Pointer: null,
      List: [{ Text: '', Name: 'n' }],
      IPAddress: '10.0.0.1',
    });
  });
});

describe('internalCore', () => {
  it('moves what pods share with the host to the security context', () => {
    const spec = internalCore('PodSpec', {
      containers: [],
      hostNetwork: true,
      securityContext: { fsGroup: 1 },
    });
    expect(spec).toMatchObject({
      SecurityContext: { HostNetwork: true, HostPID: false, HostUsers: null, FSGroup: 1 },
    });
  });

  it('knows every type that it names', () => {
    const full = {
      volumes: [
        { projected: { sources: [{ serviceAccountToken: {} }] }, ephemeral: { volumeClaimTemplate: {} } },
      ],
      containers: [
        { livenessProbe: { grpc: {} }, lifecycle: { preStop: { sleep: {} } }, env: [{ valueFrom: {} }] },
      ],
      affinity: { podAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1 }] } },
    };
    expect(internalCore('PodSpec', full)).toMatchObject({
      Volumes: [{ Projected: { Sources: [{ ServiceAccountToken: { ExpirationSeconds: 0 } }] } }],
      Containers: [{ LivenessProbe: { GRPC: { Port: 0, Service: null }, PeriodSeconds: 0 } }],
      Affinity: { PodAffinity: { PreferredDuringSchedulingIgnoredDuringExecution: [{ Weight: 1 }] } },
    });
  });
});
