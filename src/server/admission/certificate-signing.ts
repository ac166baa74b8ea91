import type { CertificateSigningRequest } from '../../api/certificates/v1.gen.ts';
import type { KubeObject } from '../../machinery/object.ts';
import { jsonEqual } from '../../machinery/patch/json-value.ts';
import type { Authorizer } from '../auth/authorizer.ts';
import type { AdmissionPlugin } from './admission-chain.ts';
import { newRefusal } from './refuse.ts';
import { maySigner } from './signer-permission.ts';

/** Only who may `sign` for a signer sets the certificate or conditions of its requests (upstream's CertificateSigning). */
export function certificateSigning(authorizer: Authorizer): AdmissionPlugin {
  return {
    name: 'CertificateSigning',
    validate(request) {
      const { group, resource, subresource, operation, user } = request;
      if (group !== 'certificates.k8s.io' || resource !== 'certificatesigningrequests') return;
      if (subresource !== 'status' || operation !== 'UPDATE') return;
      const old = request.oldObject as CertificateSigningRequest;
      const next = request.object as KubeObject as CertificateSigningRequest;
      const unchanged =
        old.status?.certificate === next.status?.certificate &&
        jsonEqual(old.status?.conditions ?? [], next.status?.conditions ?? []);
      const { signerName } = old.spec;
      if (unchanged || maySigner(authorizer, user, { verb: 'sign', signerName })) return;
      throw newRefusal(request, `user not permitted to sign requests with signerName "${signerName}"`);
    },
  };
}
