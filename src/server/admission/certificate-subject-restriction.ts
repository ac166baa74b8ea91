import { certificatesigningrequests } from '../../api/certificates/v1.gen.ts';
import type { CertificateSigningRequest } from '../../api/certificates/v1.gen.ts';
import type { KubeObject } from '../../machinery/object.ts';
import {
  CertificateRequestError,
  parseCertificateRequest,
} from '../../machinery/x509/certificate-request.ts';
import type { AdmissionPlugin, AdmissionRequest } from './admission-chain.ts';
import { isCreationOf } from './default-class.ts';
import { newRefusal } from './refuse.ts';

const clientSigner = 'kubernetes.io/kube-apiserver-client';
const administrators = 'system:masters';

/** Nobody asks for a client certificate of group `system:masters` (upstream's CertificateSubjectRestriction). */
export const certificateSubjectRestriction: AdmissionPlugin = {
  name: 'CertificateSubjectRestriction',
  validate(request) {
    if (!isCreationOf(certificatesigningrequests, request)) return;
    const { spec } = request.object as KubeObject as CertificateSigningRequest;
    if (spec.signerName !== clientSigner) return;
    if (!organizationsOf(request, spec.request).includes(administrators)) return;
    throw newRefusal(request, `use of ${clientSigner} signer with ${administrators} group is not allowed`);
  },
};

function organizationsOf(request: AdmissionRequest, encoded: string): readonly string[] {
  try {
    return parseCertificateRequest(Buffer.from(encoded, 'base64').toString('latin1')).organizations;
  } catch (error) {
    if (!(error instanceof CertificateRequestError)) throw error;
    throw newRefusal(request, `failed to parse CSR: ${error.message}`);
  }
}
