import { OciError } from './oci-error.ts';

/** A parsed image reference. `toString` forms are made by {@link canonicalName} and {@link repositoryName}. */
export interface Reference {
  /** Registry host, with a port when one was given: `docker.io`, `127.0.0.1:5000`. */
  readonly registry: string;
  /** Path within the registry: `library/busybox`. */
  readonly repository: string;
  readonly tag?: string;
  /** `sha256:…`. */
  readonly digest?: string;
}

const component = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const repositoryPattern = new RegExp(`^${component}(?:/${component})*$`);
const registryPattern = /^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9a-fA-F:]+\])(?::[0-9]+)?$/;
const tagPattern = /^\w[\w.-]{0,127}$/;
const digestPattern = /^sha256:[0-9a-f]{64}$/;

/**
 * Parses a reference as the distribution specification and Docker's short names define it: no registry means `docker.io`,
 * one path component there means `library/…`, neither tag nor digest means `:latest`. Throws `INVALID_REFERENCE`.
 */
export function parseReference(text: string): Reference {
  const fail = (why: string): never => {
    throw new OciError('INVALID_REFERENCE', `couldn't parse image name ${JSON.stringify(text)}: ${why}`);
  };
  let rest = text;
  let digest: string | undefined;
  const at = rest.indexOf('@');
  if (at >= 0) {
    digest = rest.slice(at + 1);
    rest = rest.slice(0, at);
    if (!digestPattern.test(digest)) fail('the digest after @ must be sha256: and 64 hexadecimal digits');
  }
  let tag: string | undefined;
  const colon = rest.lastIndexOf(':');
  if (colon > rest.lastIndexOf('/')) {
    tag = rest.slice(colon + 1);
    rest = rest.slice(0, colon);
    if (!tagPattern.test(tag)) fail('a tag has letters, digits, "_", "." and "-", at most 128 of them');
  }
  const slash = rest.indexOf('/');
  const first = slash < 0 ? '' : rest.slice(0, slash);
  const hasRegistry = first === 'localhost' || /[.:]/.test(first) || first.toLowerCase() !== first;
  const registry = hasRegistry ? first : 'docker.io';
  let repository = hasRegistry ? rest.slice(slash + 1) : rest;
  if (!registryPattern.test(registry)) fail(`${JSON.stringify(registry)} is not a registry host`);
  if (repository === '') fail('the name is empty');
  if (repository !== repository.toLowerCase()) fail('repository name must be lowercase');
  if (!repositoryPattern.test(repository)) fail('invalid reference format');
  const host = registry === 'index.docker.io' ? 'docker.io' : registry;
  if (host === 'docker.io' && !repository.includes('/')) repository = `library/${repository}`;
  const finalTag = tag ?? (digest ? undefined : 'latest');
  return { registry: host, repository, ...(finalTag && { tag: finalTag }), ...(digest && { digest }) };
}

/** `docker.io/library/busybox`. */
export function repositoryName(reference: Reference): string {
  return `${reference.registry}/${reference.repository}`;
}

/** The full form: `docker.io/library/busybox:1.36`, with the digest when the reference has one. */
export function canonicalName(reference: Reference): string {
  const tag = reference.tag ? `:${reference.tag}` : '';
  const digest = reference.digest ? `@${reference.digest}` : '';
  return `${repositoryName(reference)}${tag}${digest}`;
}
