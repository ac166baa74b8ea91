import { readFile } from 'node:fs/promises';
import { createHttpsTransport } from '../client/https-transport.ts';
import { parseKubeconfig } from '../client/kubeconfig.ts';
import type { Transport } from '../machinery/transport.ts';

/** A transport as the kubeconfig file's current context says. */
export async function adminTransport(file: string): Promise<Transport> {
  return createHttpsTransport(parseKubeconfig(await readFile(file, 'utf8')));
}
