import type { UserInfo } from '../../api/resource.ts';
import type { Authorizer } from '../auth/authorizer.ts';

/** Whether a user may do this with a signer: by the signer's whole name, or with all signers of its domain. */
export function maySigner(
  authorizer: Authorizer,
  user: UserInfo,
  { verb, signerName }: { readonly verb: 'approve' | 'sign' | 'attest'; readonly signerName: string },
): boolean {
  const domain = `${signerName.split('/')[0] ?? ''}/*`;
  return [signerName, domain].some(
    (name) =>
      authorizer.authorize(user, { verb, group: 'certificates.k8s.io', resource: 'signers', name }).allowed,
  );
}
