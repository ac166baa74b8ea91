/** A value as `-o json` or `-o yaml` prints it, with a newline at the end. */
export async function structuredText(value: object, format: 'json' | 'yaml'): Promise<string> {
  if (format === 'json') return `${JSON.stringify(value, undefined, 2)}\n`;
  const { toYaml } = await import('../machinery/yaml/to-yaml.ts');
  return toYaml(value);
}
