import http from 'node:http';
import https from 'node:https';
import type { IncomingHttpHeaders } from 'node:http';
import type { Duplex, Readable } from 'node:stream';
import { sha256 } from './digest.ts';
import { manifestMediaTypes } from './manifest.ts';
import { OciError } from './oci-error.ts';
import { canonicalName } from './reference.ts';
import type { Reference } from './reference.ts';
import { TokenSource } from './registry-token.ts';

export interface Credentials {
  /** Registry host as in references. */
  readonly registry: string;
  readonly username: string;
  readonly password: string;
}

export interface DistributionOptions {
  /** Registry host → base URL that is asked in its place. */
  readonly mirrors: ReadonlyMap<string, string>;
  readonly credentials: readonly Credentials[];
  readonly signal?: AbortSignal;
  /** Makes the connection to a registry, encrypted if the address says so; default: the machine's own. */
  readonly connect?: (url: URL) => Duplex;
}

/** A registry as the distribution specification's pull side describes it. */
export interface Distribution {
  /** The manifest or index of a reference, by tag or digest, digest verified. */
  manifest(
    reference: Reference,
  ): Promise<{ readonly body: Buffer; readonly digest: string; readonly mediaType: string }>;
  /** A blob's bytes; the reader verifies the digest. */
  blob(reference: Reference, digest: string): Promise<Readable>;
}

const maxManifestBytes = 4 << 20;
const maxRedirects = 5;
/** A registry that accepts a connection and then says nothing is given up after this long. */
const idleTimeoutMs = 60_000;

/** Where a registry is spoken to: a mirror's URL, plain HTTP on loopback, HTTPS elsewhere. */
export function registryBase(registry: string, mirrors: ReadonlyMap<string, string>): URL {
  const mirror = mirrors.get(registry) ?? mirrors.get('*');
  if (mirror)
    return new URL(mirror.includes('://') ? mirror : `${isLoopback(mirror) ? 'http' : 'https'}://${mirror}`);
  if (registry === 'docker.io') return new URL('https://registry-1.docker.io');
  return new URL(`${isLoopback(registry) ? 'http' : 'https'}://${registry}`);
}

function isLoopback(host: string): boolean {
  return /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])(?::\d+)?(?:\/|$)/.test(host);
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Readable;
}

/** Speaks to registries; anonymous, basic and bearer authentication as their challenges ask. */
export function createDistribution(options: DistributionOptions): Distribution {
  const tokens = new TokenSource((url, headers) => request(url, headers, options));

  async function get(reference: Reference, path: string, accept: readonly string[]): Promise<Answer> {
    const base = registryBase(reference.registry, options.mirrors);
    const prefix = base.pathname.replace(/\/$/, '');
    const url = new URL(`${prefix}/v2/${reference.repository}/${path}`, base);
    const credentials = options.credentials.find((entry) => entry.registry === reference.registry);
    const scope = `repository:${reference.repository}:pull`;
    const headers = { accept: accept.join(', ') };
    let answer: Answer;
    try {
      answer = await request(url, { ...headers, ...tokens.known(base.origin, scope) }, options);
      if (answer.status === 401) {
        answer.body.resume();
        const authorization = await tokens.authorize(base.origin, scope, {
          challenge: answer.headers['www-authenticate'] ?? '',
          ...(credentials && { credentials }),
        });
        answer = await request(url, { ...headers, ...authorization }, options);
      }
      answer = await followed(answer, url, headers, options);
    } catch (error) {
      if (error instanceof OciError || options.signal?.aborted) throw error;
      const message =
        error instanceof Error
          ? error.message || String('code' in error ? error.code : error.name)
          : String(error);
      throw new OciError(
        'UNAVAILABLE',
        `failed to pull image ${JSON.stringify(canonicalName(reference))}: registry ${base.origin}: ${message}`,
        { cause: error },
      );
    }
    if (answer.status === 200) return answer;
    const text = (await collect(answer.body, 16_384, 'error')).toString();
    throw registryError(reference, base, answer.status, text);
  }

  return {
    async manifest(reference) {
      const answer = await get(
        reference,
        `manifests/${reference.digest ?? reference.tag ?? 'latest'}`,
        manifestMediaTypes,
      );
      const body = await collect(answer.body, maxManifestBytes, 'manifest');
      const digest = sha256(body);
      if (reference.digest && digest !== reference.digest)
        throw new OciError('CORRUPT', `manifest of ${canonicalName(reference)} has digest ${digest}`);
      return { body, digest, mediaType: answer.headers['content-type'] ?? '' };
    },
    async blob(reference, digest) {
      return (await get(reference, `blobs/${digest}`, ['application/octet-stream', '*/*'])).body;
    },
  };
}

/** Redirects of blobs lead to storage elsewhere, which must not see the registry's credentials. */
async function followed(
  first: Answer,
  from: URL,
  headers: Record<string, string>,
  options: Pick<DistributionOptions, 'signal' | 'connect'>,
): Promise<Answer> {
  let answer = first;
  let url = from;
  for (let hops = 0; answer.status >= 301 && answer.status <= 308 && answer.headers.location; hops += 1) {
    if (hops === maxRedirects)
      throw new OciError('UNAVAILABLE', `registry ${from.origin} redirects without end`);
    answer.body.resume();
    url = new URL(answer.headers.location, url);
    answer = await request(url, headers, options);
  }
  return answer;
}

function request(
  url: URL,
  headers: Record<string, string>,
  { signal, connect }: Pick<DistributionOptions, 'signal' | 'connect'>,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const client = url.protocol === 'http:' ? http : https;
    const outgoing = client.get(
      url,
      {
        headers: { 'user-agent': 'kanoe', ...headers },
        ...(signal && { signal }),
        ...(connect && { createConnection: () => connect(url) }),
      },
      (response) => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: response });
      },
    );
    outgoing.setTimeout(idleTimeoutMs, () =>
      outgoing.destroy(new Error(`no data for ${idleTimeoutMs / 1000} s`)),
    );
    outgoing.on('error', reject);
  });
}

async function collect(stream: Readable, limit: number, what: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream) {
    const bytes = Buffer.from(chunk);
    size += bytes.length;
    if (size > limit) throw new OciError('CORRUPT', `the registry's ${what} is larger than ${limit} bytes`);
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}

function registryError(reference: Reference, base: URL, status: number, text: string): OciError {
  const name = canonicalName(reference);
  const detail =
    /"message"\s*:\s*"([^"]+)"/.exec(text)?.[1] ?? (http.STATUS_CODES[status] || 'no reason given');
  if (status === 404)
    return new OciError(
      'NOT_FOUND',
      `failed to resolve reference ${JSON.stringify(name)}: ${name}: not found (${base.origin}: ${detail})`,
    );
  if (status === 401 || status === 403)
    return new OciError(
      'UNAUTHORIZED',
      `failed to pull image ${JSON.stringify(name)}: ${base.origin} refuses access: ${detail}; add an imagePullSecret`,
    );
  return new OciError(
    'UNAVAILABLE',
    `failed to pull image ${JSON.stringify(name)}: registry ${base.origin} answers ${status}: ${detail}`,
  );
}
