import type { ApiRequest, Verb } from './transport.ts';

const methods: Readonly<Record<Verb, string>> = {
  get: 'GET',
  list: 'GET',
  watch: 'GET',
  create: 'POST',
  update: 'PUT',
  patch: 'PATCH',
  delete: 'DELETE',
  deletecollection: 'DELETE',
  '': 'OPTIONS',
};

/** The HTTP method of a verb. */
export function methodOf(verb: Verb): string {
  return methods[verb];
}

/** The path and query of a request. */
export function requestPath(request: ApiRequest): string {
  const { group, version, resource, namespace, name, subresource, verb } = request;
  const segments = [
    group === '' ? `/api/${version}` : `/apis/${group}/${version}`,
    ...(namespace !== undefined && resource !== 'namespaces'
      ? ['namespaces', encodeURIComponent(namespace)]
      : []),
    resource,
    ...(name !== undefined ? [encodeURIComponent(name)] : []),
    ...(subresource !== undefined ? [subresource] : []),
  ];
  const params = new URLSearchParams(request.params);
  if (verb === 'watch') params.set('watch', 'true');
  const query = params.toString();
  return `${segments.join('/')}${query === '' ? '' : `?${query}`}`;
}
