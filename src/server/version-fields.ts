/** Members that the document of `/version` always has (`io.k8s.apimachinery.pkg.version.Info`). */
export const requiredVersionFields: readonly string[] = [
  'major',
  'minor',
  'gitVersion',
  'gitCommit',
  'gitTreeState',
  'buildDate',
  'goVersion',
  'compiler',
  'platform',
];
