import type { KubeObject } from '../../machinery/object.ts';
import type { Authorizer } from '../auth/authorizer.ts';
import type { AdmissionPlugin } from './admission-chain.ts';
import { newRefusal } from './refuse.ts';
import { maySigner } from './signer-permission.ts';

type Bundle = KubeObject & { readonly spec?: { readonly signerName?: string } };

/** Only who may `attest` for a signer writes its trust bundles (upstream's ClusterTrustBundleAttest). */
export function clusterTrustBundleAttest(authorizer: Authorizer): AdmissionPlugin {
  return {
    name: 'ClusterTrustBundleAttest',
    validate(request) {
      const { group, resource, subresource, operation, user } = request;
      if (group !== 'certificates.k8s.io' || resource !== 'clustertrustbundles' || subresource !== '') return;
      if (operation !== 'CREATE' && operation !== 'UPDATE') return;
      const signerName = (request.object as Bundle | undefined)?.spec?.signerName;
      if (!signerName || maySigner(authorizer, user, { verb: 'attest', signerName })) return;
      throw newRefusal(request, `user not permitted to attest for signerName "${signerName}"`);
    },
  };
}
