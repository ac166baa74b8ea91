import { Option } from 'commander';

/** `--name`: which of the person's clusters. */
export function nameOption(): Option {
  return new Option('--name <name>', 'name of the cluster').default('kanoe');
}
