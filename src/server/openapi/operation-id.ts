/** The words of a group version in operation ids and tags, as upstream makes them: `RbacAuthorizationV1`, `rbacAuthorization_v1`. */
export function groupVersionWords(
  group: string,
  version: string,
): { readonly id: string; readonly tag: string } {
  const words = (group === '' ? 'core' : group.replace(/\.k8s\.io$/, ''))
    .split('.')
    .map(capitalized)
    .join('');
  return {
    id: words + capitalized(version),
    tag: `${words.charAt(0).toLowerCase()}${words.slice(1)}_${version}`,
  };
}

/** With its first letter in upper case. */
export function capitalized(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
