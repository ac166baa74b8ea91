import { expect, it } from 'vitest';
import type { AdmissionRequest } from '../admission-chain.ts';
import type { Lookup } from '../lookup.ts';
import { podSecurity } from './pod-security.ts';

const label = (name: string, value: string): Record<string, string> => ({
  [`pod-security.kubernetes.io/${name}`]: value,
});

function admit(labels: Record<string, string>): Record<string, unknown> {
  const annotations: Record<string, string> = {};
  const warnings: string[] = [];
  const seen: string[] = [];
  const namespace = { metadata: { name: 'ns', labels } };
  const lookup = { get: () => namespace } as object as Lookup;
  const plugin = podSecurity(lookup, ({ decision, mode, level }) =>
    seen.push(`${mode} ${level.level} ${decision}`),
  );
  const request = {
    operation: 'CREATE',
    group: '',
    resource: 'pods',
    subresource: '',
    namespace: 'ns',
    name: 'p',
    object: {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'p' },
      spec: { containers: [{ name: 'c', image: 'i' }], hostNetwork: true },
    },
    annotate: (key: string, value: string) =>
      (annotations[key.replace('pod-security.kubernetes.io/', '')] = value),
    warn: (text: string) => warnings.push(text),
  };
  let refused = false;
  try {
    void plugin.validate?.(request as object as AdmissionRequest);
  } catch {
    refused = true;
  }
  return { refused, seen, annotations: Object.keys(annotations).sort(), warned: warnings.length };
}

it.each<[string, Record<string, string>, Record<string, unknown>]>([
  [
    'a namespace that allows everything',
    {},
    { refused: false, seen: ['enforce privileged allow'], annotations: ['enforce-policy'], warned: 0 },
  ],
  [
    'what is refused: audited, but nobody is warned',
    { ...label('enforce', 'baseline'), ...label('audit', 'restricted'), ...label('warn', 'restricted') },
    {
      refused: true,
      seen: ['enforce baseline deny', 'audit restricted deny'],
      annotations: ['audit-violations', 'enforce-policy'],
      warned: 0,
    },
  ],
  [
    'what is warned of',
    { ...label('warn', 'baseline') },
    {
      refused: false,
      seen: ['enforce privileged allow', 'warn baseline deny'],
      annotations: ['enforce-policy'],
      warned: 1,
    },
  ],
  [
    'labels that cannot be read',
    { ...label('audit', 'strict') },
    {
      refused: false,
      seen: ['enforce privileged allow'],
      annotations: ['enforce-policy', 'error'],
      warned: 0,
    },
  ],
])('notes of %s', (_, labels, expected) => {
  expect(admit(labels)).toEqual(expected);
});
