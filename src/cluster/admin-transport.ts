import { createHttpsTransport } from '../client/https-transport.ts';
import { connectionOf, readKubeconfigs } from '../client/kubeconfig-file.ts';
import type { Transport } from '../machinery/transport.ts';

/** A transport as the kubeconfig file's current context says. */
export async function adminTransport(file: string): Promise<Transport> {
  return createHttpsTransport(await connectionOf(await readKubeconfigs([file])));
}
