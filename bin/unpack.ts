import { unpackLayer } from '../src/oci/unpack.ts';
import type { UnpackJob } from '../src/oci/unpack.ts';

/** Unpacks one layer in a process of its own: the job is the only argument, the result or the error goes out as JSON. */
async function main(): Promise<void> {
  const job = JSON.parse(process.argv[2] ?? '{}') as UnpackJob;
  try {
    process.stdout.write(JSON.stringify({ result: await unpackLayer(job) }));
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : 'CORRUPT';
    process.stdout.write(
      JSON.stringify({ error: { code, message: error instanceof Error ? error.message : String(error) } }),
    );
    process.exitCode = 1;
  }
}

void main();
