import type { CertificateSigningRequest } from '../../api/certificates/v1.gen.ts';
import type { Authorizer } from '../auth/authorizer.ts';
import type { AdmissionPlugin } from './admission-chain.ts';
import { newRefusal } from './refuse.ts';
import { maySigner } from './signer-permission.ts';

/** Only who may `approve` for a signer decides about its requests (upstream's CertificateApproval). */
export function certificateApproval(authorizer: Authorizer): AdmissionPlugin {
  return {
    name: 'CertificateApproval',
    validate(request) {
      const { group, resource, subresource, operation, user } = request;
      if (group !== 'certificates.k8s.io' || resource !== 'certificatesigningrequests') return;
      if (subresource !== 'approval' || operation !== 'UPDATE') return;
      const { signerName } = (request.oldObject as CertificateSigningRequest).spec;
      if (maySigner(authorizer, user, { verb: 'approve', signerName })) return;
      throw newRefusal(request, `user not permitted to approve requests with signerName "${signerName}"`);
    },
  };
}
