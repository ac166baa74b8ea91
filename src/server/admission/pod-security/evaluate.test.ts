import { describe, expect, it } from 'vitest';
import type { PodSpec } from '../../../api/core/v1.gen.ts';
import { createEvaluator, printDetails } from './evaluate.ts';
import { policyOf, printLevel } from './policy.ts';

const evaluate = createEvaluator();

function said(label: string, spec: Partial<PodSpec>, annotations: Record<string, string> = {}): string {
  const [level = '', version = 'latest'] = label.split(':');
  const { policy } = policyOf({
    'pod-security.kubernetes.io/enforce': level,
    'pod-security.kubernetes.io/enforce-version': version,
  });
  const pod = { metadata: { annotations }, spec: { containers: [{ name: 'c', image: 'i' }], ...spec } };
  expect(printLevel(policy.enforce)).toBe(label.includes(':') ? label : `${label}:latest`);
  return printDetails(evaluate(pod, policy.enforce));
}

const safe = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'] },
  runAsNonRoot: true,
  seccompProfile: { type: 'RuntimeDefault' as const },
};

describe('the Pod Security Standards', () => {
  it.each<[string, string, Partial<PodSpec>, string]>([
    ['a plain pod meets the baseline', 'baseline', {}, ''],
    [
      'a plain pod is not restricted enough',
      'restricted',
      {},
      'allowPrivilegeEscalation != false (container "c" must set securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container "c" must set securityContext.capabilities.drop=["ALL"]), runAsNonRoot != true (pod or container "c" must set securityContext.runAsNonRoot=true), seccompProfile (pod or container "c" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")',
    ],
    ['a careful pod is', 'restricted', { containers: [{ name: 'c', securityContext: safe }] }, ''],
    [
      'host namespaces',
      'baseline',
      { hostPID: true, hostNetwork: true },
      'host namespaces (hostNetwork=true, hostPID=true)',
    ],
    [
      'host ports of two containers',
      'baseline',
      {
        containers: [
          { name: 'a', ports: [{ containerPort: 1, hostPort: 80 }] },
          { name: 'b', ports: [{ containerPort: 1, hostPort: 443 }] },
        ],
      },
      'hostPort (containers "a", "b" use hostPorts 443, 80)',
    ],
    [
      'a host path',
      'baseline',
      { volumes: [{ name: 'v', hostPath: { path: '/' } }] },
      'hostPath volumes (volume "v")',
    ],
    [
      'a host path where other types are restricted, too',
      'restricted',
      {
        containers: [{ name: 'c', securityContext: safe }],
        volumes: [
          { name: 'v', hostPath: { path: '/' } },
          { name: 'w', nfs: { server: 's', path: '/' } },
        ],
      },
      'restricted volume types (volumes "v", "w" use restricted volume types "hostPath", "nfs")',
    ],
    [
      'a capability, in a version before restricted pods had to drop all',
      'restricted:v1.7',
      {
        containers: [
          { name: 'c', securityContext: { runAsNonRoot: true, capabilities: { add: ['SYS_ADMIN'] } } },
        ],
      },
      'non-default capabilities (container "c" must not include "SYS_ADMIN" in securityContext.capabilities.add)',
    ],
    [
      'the root user, unless the pod has users of its own',
      'restricted',
      { hostUsers: false, containers: [{ name: 'c', securityContext: { ...safe, runAsUser: 0 } }] },
      '',
    ],
    [
      'a sysctl that a later version allows',
      'baseline:v1.28',
      { securityContext: { sysctls: [{ name: 'net.ipv4.tcp_fin_timeout', value: '1' }] } },
      'forbidden sysctls (net.ipv4.tcp_fin_timeout)',
    ],
    [
      'a host of probes from 1.34 on',
      'baseline:v1.34',
      { containers: [{ name: 'c', livenessProbe: { tcpSocket: { host: 'h', port: 1 } } }] },
      'probe or lifecycle host (container "c" uses probe or lifecycle host "h")',
    ],
  ])('%s', (_, label, spec, message) => {
    expect(said(label, spec)).toBe(message);
  });

  it('looks at AppArmor annotations', () => {
    const annotations = { 'container.apparmor.security.beta.kubernetes.io/c': 'unconfined' };
    expect(said('baseline', {}, annotations)).toContain('annotation must not set AppArmor profile type to');
  });
});

describe('policyOf', () => {
  it('enforces the strictest level when a label cannot be read, and warns of nothing', () => {
    const { policy, errors } = policyOf({
      'pod-security.kubernetes.io/enforce': 'tight',
      'pod-security.kubernetes.io/warn': 'loose',
      'pod-security.kubernetes.io/warn-version': 'v2',
    });
    expect([policy.enforce.level, policy.warn.level]).toEqual(['restricted', 'privileged']);
    expect(errors.map(({ field }) => field)).toEqual([
      'metadata.labels[pod-security.kubernetes.io/enforce]',
      'metadata.labels[pod-security.kubernetes.io/warn]',
      'metadata.labels[pod-security.kubernetes.io/warn-version]',
    ]);
  });
});
