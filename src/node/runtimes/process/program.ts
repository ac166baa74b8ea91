import { access, constants } from 'node:fs/promises';
import { basename, delimiter, isAbsolute, join } from 'node:path';
import { RuntimeError } from '../../container-runtime.ts';
import type { Image } from '../../image-service.ts';

export interface ProgramRequest {
  /** First word of the container's command. */
  readonly name: string;
  readonly image: Image;
  /** Where the machine's programs are, as in PATH. */
  readonly searchPath: string;
  /** The container's files. */
  readonly root: string;
}

/**
 * The program of this machine that stands for one of an image: `node` is always the running Node.js; another one is looked for
 * in the container's files and on the search path, and only when the image is made for this system.
 */
export async function findProgram(request: ProgramRequest): Promise<string> {
  const { name, image, searchPath, root } = request;
  if (/^node(\.exe)?$/.test(basename(name))) return process.execPath;
  const wanted = `${image.os}/${image.architecture}`;
  const host = `${hostSystem()}/${hostArchitecture()}`;
  if (wanted !== host) {
    throw new RuntimeError(
      'UNSUPPORTED',
      `the image is made for ${wanted} and this machine is ${host}: without containers only commands of Node.js run here; "${name}" needs the native runtime (Linux, root)`,
    );
  }
  const own = join(root, name);
  const folders = searchPath.split(delimiter).filter(Boolean);
  const candidates = name.includes('/')
    ? [own, ...(isAbsolute(name) ? [name, ...folders.map((folder) => join(folder, basename(name)))] : [])]
    : folders.map((folder) => join(folder, name));
  for (const candidate of candidates) {
    const runs = await access(candidate, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (runs) return candidate;
  }
  throw new RuntimeError(
    'START_FAILED',
    `unable to start container process: exec: "${name}": executable file not found in $PATH of this machine`,
  );
}

function hostSystem(): string {
  return process.platform === 'win32' ? 'windows' : process.platform;
}

function hostArchitecture(): string {
  return process.arch === 'x64' ? 'amd64' : process.arch;
}
