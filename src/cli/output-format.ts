import { CliError } from './cli-error.ts';

/** What `-o` asks for. */
export type OutputFormat =
  | { readonly type: 'table'; readonly wide: boolean }
  | { readonly type: 'json' | 'yaml' | 'name' }
  | { readonly type: 'jsonpath'; readonly template: string }
  | { readonly type: 'custom-columns'; readonly columns: string };

/** Reads the value of `-o`. Throws {@link CliError} with the formats there are. */
export function parseOutputFormat(value: string | undefined): OutputFormat {
  if (value === undefined || value === '') return { type: 'table', wide: false };
  const [name = '', ...rest] = value.split('=');
  const parameter = rest.join('=');
  switch (name) {
    case 'wide':
      return { type: 'table', wide: true };
    case 'json':
    case 'yaml':
    case 'name':
      return { type: name };
    case 'jsonpath':
      if (parameter === '')
        throw new CliError('template format specified but no template given', { exitCode: 2 });
      return { type: 'jsonpath', template: parameter };
    case 'custom-columns':
      if (parameter === '')
        throw new CliError('custom-columns format specified but no custom columns given', { exitCode: 2 });
      return { type: 'custom-columns', columns: parameter };
    default:
      throw new CliError(
        `unable to match a printer suitable for the output format "${value}", allowed formats are: custom-columns,json,jsonpath,name,wide,yaml`,
        { exitCode: 2 },
      );
  }
}
