import type { CertificateSigningRequest } from '../../api/certificates/v1.gen.ts';
import type { CertificateRequest } from '../../machinery/x509/certificate-request.ts';

const clientUsages = ['client auth', 'digital signature'];
const servingUsages = ['digital signature', 'server auth'];
const optionalUsage = 'key encipherment';

type Usages = CertificateSigningRequest['spec']['usages'];

/** Why a request is no kubelet's wish for a client certificate; undefined when it is one. */
export function kubeletClientProblem(request: CertificateRequest, usages: Usages): string | undefined {
  if (!isOfNodes(request)) return 'subject organization is not system:nodes';
  if (request.dnsNames.length > 0) return 'DNS subjectAltNames are not allowed';
  if (request.emailAddresses.length > 0) return 'Email subjectAltNames are not allowed';
  if (request.ipAddresses.length > 0) return 'IP subjectAltNames are not allowed';
  if (request.uris.length > 0) return 'URI subjectAltNames are not allowed';
  if (!request.commonName.startsWith('system:node:')) {
    return 'subject common name does not begin with system:node:';
  }
  return sameUsages(usages, clientUsages)
    ? undefined
    : 'usages did not match [key encipherment digital signature client auth] or [digital signature client auth]';
}

/** Why a request is no kubelet's wish for a serving certificate; undefined when it is one. */
export function kubeletServingProblem(request: CertificateRequest, usages: Usages): string | undefined {
  if (!isOfNodes(request)) return 'subject organization is not system:nodes';
  if (request.dnsNames.length === 0 && request.ipAddresses.length === 0) {
    return 'DNS or IP subjectAltName is required';
  }
  if (request.emailAddresses.length > 0) return 'Email subjectAltNames are not allowed';
  if (request.uris.length > 0) return 'URI subjectAltNames are not allowed';
  if (!request.commonName.startsWith('system:node:')) {
    return 'subject common name does not begin with system:node:';
  }
  return sameUsages(usages, servingUsages)
    ? undefined
    : 'usages did not match [key encipherment digital signature server auth] or [digital signature server auth]';
}

function isOfNodes({ organizations }: CertificateRequest): boolean {
  return organizations.length === 1 && organizations[0] === 'system:nodes';
}

/** Exactly these, with or without `key encipherment`. */
function sameUsages(usages: Usages, wanted: readonly string[]): boolean {
  const given = [...new Set<string>(usages ?? [])].filter((usage) => usage !== optionalUsage).sort();
  return given.length === wanted.length && given.every((usage, index) => usage === wanted[index]);
}
