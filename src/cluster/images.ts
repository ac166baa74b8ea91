import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { ImageStore } from '../oci/image-store.ts';
import { hostPlatform } from '../oci/manifest.ts';
import { OciError } from '../oci/oci-error.ts';
import type { OciErrorCode } from '../oci/oci-error.ts';
import type { UnpackJob, UnpackResult } from '../oci/unpack.ts';

type Reply =
  | { readonly result: UnpackResult }
  | { readonly error: { readonly code: OciErrorCode; readonly message: string } };

/** The image store of a data directory; layers are unpacked by processes of their own, so that nothing else waits. */
export function openImageStore(dataDirectory: string, unpackProgram: string): ImageStore {
  const host = hostPlatform();
  return new ImageStore({
    directory: join(dataDirectory, 'images'),
    platform: { os: 'linux', architecture: host.architecture },
    unpack: (job) => unpackElsewhere(unpackProgram, job),
  });
}

function unpackElsewhere(program: string, job: UnpackJob): Promise<UnpackResult> {
  return new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      [program, JSON.stringify(job)],
      { maxBuffer: 64 << 20 },
      (error, stdout, stderr) => {
        let reply: Reply;
        try {
          reply = JSON.parse(stdout) as Reply;
        } catch {
          reject(
            new OciError(
              'CORRUPT',
              `layer ${job.diffId} could not be unpacked: ${stderr.trim() || error?.message || 'no answer'}`,
            ),
          );
          return;
        }
        if ('result' in reply) resolve(reply.result);
        else reject(new OciError(reply.error.code, reply.error.message));
      },
    );
  });
}
