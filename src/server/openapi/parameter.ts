/** A request parameter, in neither dialect. */
export interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query';
  readonly type: 'string' | 'boolean' | 'integer';
}

function query(type: Parameter['type'], ...names: string[]): Parameter[] {
  return names.map((name) => ({ name, in: 'query', type }));
}

const selection: readonly Parameter[] = [
  ...query('string', 'continue', 'fieldSelector', 'labelSelector', 'resourceVersion', 'resourceVersionMatch'),
  ...query('string', 'shardSelector'),
  ...query('integer', 'limit', 'timeoutSeconds'),
  ...query('boolean', 'sendInitialEvents'),
];

export const prettyParameter: Parameter = { name: 'pretty', in: 'query', type: 'string' };
export const listParameters: readonly Parameter[] = [
  ...selection,
  ...query('boolean', 'allowWatchBookmarks', 'watch'),
];
export const writeParameters: readonly Parameter[] = query(
  'string',
  'dryRun',
  'fieldManager',
  'fieldValidation',
);
export const patchParameters: readonly Parameter[] = [...writeParameters, ...query('boolean', 'force')];
export const deleteParameters: readonly Parameter[] = [
  ...query('string', 'dryRun', 'propagationPolicy'),
  ...query('integer', 'gracePeriodSeconds'),
  ...query('boolean', 'ignoreStoreReadErrorWithClusterBreakingPotential', 'orphanDependents'),
];
export const deleteCollectionParameters: readonly Parameter[] = [...selection, ...deleteParameters];

/** `name` and `namespace` as far as the path has them. */
export function pathParameters(path: string): Parameter[] {
  return ['name', 'namespace', 'path']
    .filter((name) => path.includes(`{${name}}`))
    .map((name) => ({ name, in: 'path', type: 'string' }));
}

/** By name and place, as upstream sorts them. */
export function sortedParameters(parameters: Iterable<Parameter>): Parameter[] {
  return [...parameters].sort((a, b) => {
    if (a.name !== b.name) return a.name < b.name ? -1 : 1;
    return a.in < b.in ? -1 : 1;
  });
}
