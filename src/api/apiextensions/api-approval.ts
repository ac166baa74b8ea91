import { goQuote } from '../../machinery/go-quote.ts';

const annotation = 'api-approved.kubernetes.io';
const seeAlso = 'see https://github.com/kubernetes/enhancements/pull/1111';

export interface ApprovalState {
  readonly state: 'missing' | 'bypassed' | 'approved' | 'invalid';
  readonly reason: string;
}

/** Whether a group belongs to the Kubernetes project. */
export function isProtectedGroup(group: string): boolean {
  return ['k8s.io', 'kubernetes.io'].some((domain) => group === domain || group.endsWith(`.${domain}`));
}

/** What the annotation of a definition in a protected group says of its approval. */
export function approvalState(annotations: Readonly<Record<string, string>> | undefined): ApprovalState {
  const value = annotations?.[annotation] ?? '';
  const must = `protected groups must have approval annotation ${goQuote(annotation)}`;
  if (value === '') return { state: 'missing', reason: `${must}, ${seeAlso}` };
  if (value.startsWith('unapproved')) return { state: 'bypassed', reason: `not approved: ${goQuote(value)}` };
  if (/^[a-z][a-z0-9+.-]*:\/\/[^\s/]+/i.test(value) && URL.canParse(value)) {
    return { state: 'approved', reason: `approved in ${value}` };
  }
  const reason = `${must} with either a URL or a reason starting with "unapproved", ${seeAlso}`;
  return { state: 'invalid', reason };
}
