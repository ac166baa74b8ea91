import { createHmac, timingSafeEqual } from 'node:crypto';
import { createHttpsTransport } from '../../client/https-transport.ts';
import type { Connection } from '../../client/connection.ts';
import type { ConfigMap } from '../../api/core/v1.gen.ts';
import { parseYaml } from '../../machinery/yaml/parse-yaml.ts';
import { ClusterError } from '../cluster-error.ts';
import { formatToken, type BootstrapToken } from './bootstrap-token.ts';
import { certificatePin } from './certificate-pin.ts';

export interface Discovery {
  /** `https://host:port`. */
  readonly server: string;
  readonly token: BootstrapToken;
  /** `sha256:…` of the authorities that may be trusted; empty: the token alone must do. */
  readonly pins: readonly string[];
  readonly signal: AbortSignal;
}

/**
 * Learns the authority of a cluster from its `kube-public/cluster-info` as kubeadm does: asked for without knowing whom one
 * talks to, believed because the token has signed it and a pin names its key. Throws `FAILED` otherwise.
 */
export async function discoverCluster(discovery: Discovery): Promise<{ readonly ca: string }> {
  const { server, token, pins, signal } = discovery;
  const unverified = await clusterInfo({ server, insecureSkipTlsVerify: true }, signal);
  const kubeconfig = verifiedKubeconfig(unverified, token);
  const ca = authorityOf(kubeconfig);
  if (pins.length > 0 && !pins.includes(certificatePin(ca)))
    throw new ClusterError(
      'FAILED',
      `the authority of ${server} is none of those of --discovery-token-ca-cert-hash: it has ${certificatePin(ca)}`,
    );
  const verified = await clusterInfo({ server, ca }, signal);
  if (verified.data?.['kubeconfig'] !== kubeconfig)
    throw new ClusterError('FAILED', `${server} describes its cluster differently when it is asked again`);
  return { ca };
}

async function clusterInfo(connection: Connection, signal: AbortSignal): Promise<ConfigMap> {
  const transport = createHttpsTransport(connection);
  try {
    return (await transport.raw(
      '/api/v1/namespaces/kube-public/configmaps/cluster-info',
      signal,
    )) as ConfigMap;
  } finally {
    await transport.close();
  }
}

/** The kubeconfig of a config map, if the token has signed it (a detached JWS, HS256). Throws `FAILED`. */
export function verifiedKubeconfig({ data = {} }: ConfigMap, token: BootstrapToken): string {
  const { kubeconfig } = data;
  const signature = data[`jws-kubeconfig-${token.id}`];
  if (kubeconfig === undefined || signature === undefined)
    throw new ClusterError(
      'FAILED',
      `the cluster knows no token ${token.id}: it may have ended; \`kanoe token create\` makes another`,
    );
  const [header = '', , given = ''] = signature.split('.');
  const payload = Buffer.from(kubeconfig).toString('base64url');
  const expected = createHmac('sha256', formatToken(token)).update(`${header}.${payload}`).digest();
  const actual = Buffer.from(given, 'base64url');
  if (actual.length !== expected.length || !timingSafeEqual(actual, expected))
    throw new ClusterError(
      'FAILED',
      `the cluster's description is not signed with the secret of token ${token.id}: the token is wrong, or somebody stands between`,
    );
  return kubeconfig;
}

function authorityOf(kubeconfig: string): string {
  const config = parseYaml(kubeconfig).value as {
    readonly clusters?: readonly { readonly cluster?: Readonly<Record<string, string>> }[];
  };
  const encoded = config.clusters?.[0]?.cluster?.['certificate-authority-data'];
  if (encoded === undefined)
    throw new ClusterError('FAILED', "the cluster's description names no certificate authority");
  return Buffer.from(encoded, 'base64').toString();
}
