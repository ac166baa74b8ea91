import { Option } from 'commander';
import { collected } from './flag-values.ts';

/** `-f`, which may be given several times: files, folders, `-`. */
export function filenameOption(purpose: string): Option {
  return new Option('-f, --filename <path>', `${purpose}: a file, a folder, or - (repeatable)`).argParser(
    collected,
  );
}
