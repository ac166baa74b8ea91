import type {
  CertificateSigningRequest,
  CertificateSigningRequestCondition,
} from '../../api/certificates/v1.gen.ts';
import {
  type CertificateRequest,
  CertificateRequestError,
  parseCertificateRequest,
} from '../../machinery/x509/certificate-request.ts';

/** The condition of that type. */
export function conditionOf(
  { status }: CertificateSigningRequest,
  type: string,
): CertificateSigningRequestCondition | undefined {
  return status?.conditions?.find((condition) => condition.type === type);
}

/** What is asked for; undefined when it cannot be read, which the server refuses. */
export function readRequest({ spec }: CertificateSigningRequest): CertificateRequest | undefined {
  try {
    return parseCertificateRequest(Buffer.from(spec.request, 'base64').toString('latin1'));
  } catch (error) {
    if (error instanceof CertificateRequestError) return undefined;
    throw error;
  }
}
