import type { Clock } from '../../base/clock.ts';
import { newNotAcceptable } from '../../machinery/status/errors.ts';
import type { Reply } from './exchange.ts';
import { acceptClauses } from './negotiate.ts';
import { textReply, type PathRequest, type PathRoute } from './path-routes.ts';

/** What a component says of itself under `/statusz` and `/flagz`. */
export interface ComponentPages {
  /** `kube-apiserver`. */
  readonly component: string;
  readonly clock: Clock;
  /** The document of `/version`. */
  readonly version: {
    readonly gitVersion: string;
    readonly goVersion?: string;
    readonly emulationMajor?: string;
    readonly emulationMinor?: string;
    readonly minCompatibilityMajor?: string;
    readonly minCompatibilityMinor?: string;
  };
  /** All paths that are served. */
  paths(): readonly string[];
  /** How it was started. */
  flags(): Readonly<Record<string, string>>;
}

const warning =
  'Warning: This endpoint is not meant to be machine parseable, has no formatting compatibility guarantees and is for debugging purposes only.';

/** Serves `/statusz` and `/flagz` as text, and as objects of `config.k8s.io` for clients that ask for them. */
export function componentPages(pages: ComponentPages): PathRoute {
  const startedAt = pages.clock.now();
  return (request) => {
    if (request.path === '/statusz') return statusPage(pages, startedAt, request);
    return request.path === '/flagz' ? flagsPage(pages, request) : undefined;
  };
}

function statusPage(pages: ComponentPages, startedAt: number, request: PathRequest): Reply {
  const { component, clock, version } = pages;
  const upSeconds = Math.floor((clock.now() - startedAt) / 1000);
  const release = (major?: string, minor?: string): string => `${major}.${minor}`;
  const emulation = release(version.emulationMajor, version.emulationMinor);
  const binary = version.gitVersion.replace(/^v/, '');
  const paths = [...new Set(pages.paths().map((path) => `/${path.split('/')[1]}`))].sort();
  const metaVersion = structuredVersion(request, 'Statusz');
  if (metaVersion === undefined)
    return page(`${component} statusz`, [
      `Started: ${unixDate(startedAt)}`,
      `Up: ${upTime(upSeconds)}`,
      `Go version: ${version.goVersion}`,
      `Binary version: ${binary}`,
      `Emulation version: ${emulation}`,
      `Paths: ${paths.join(' ')}`,
    ]);
  return object('Statusz', pages, metaVersion, {
    startTime: new Date(startedAt).toISOString().replace(/\.\d+Z$/, 'Z'),
    uptimeSeconds: upSeconds,
    goVersion: version.goVersion,
    binaryVersion: binary,
    emulationVersion: emulation,
    minimumCompatibilityVersion: release(version.minCompatibilityMajor, version.minCompatibilityMinor),
    paths,
  });
}

function flagsPage(pages: ComponentPages, request: PathRequest): Reply {
  const flags = Object.entries(pages.flags()).sort(([a], [b]) => (a < b ? -1 : 1));
  const metaVersion = structuredVersion(request, 'Flagz');
  if (metaVersion === undefined)
    return page(
      `${pages.component} flags`,
      flags.map(([name, value]) => `${name}=${value}`),
    );
  return object('Flagz', pages, metaVersion, { flags: Object.fromEntries(flags) });
}

function page(title: string, lines: readonly string[]): Reply {
  return textReply(200, `\n${title}\n${warning}\n\n${lines.join('\n')}\n`);
}

function object(
  kind: string,
  { component }: ComponentPages,
  version: string,
  members: Readonly<Record<string, unknown>>,
): Reply {
  const document = {
    kind,
    apiVersion: `config.k8s.io/${version}`,
    metadata: { name: component },
    ...members,
  };
  return { code: 200, contentType: 'application/json', body: Buffer.from(`${JSON.stringify(document)}\n`) };
}

/** The version of the object that the client prefers; undefined for the text. Throws 406. */
function structuredVersion({ headers }: PathRequest, kind: string): string | undefined {
  const clauses = acceptClauses(headers.accept ?? '');
  if (clauses.length === 0) return undefined;
  for (const { mediaType, params } of clauses) {
    if (mediaType === '*/*' || mediaType === 'text/*' || mediaType === 'text/plain') return undefined;
    const { as, g, v } = params;
    const isKnown = as === kind && g === 'config.k8s.io' && (v === 'v1beta1' || v === 'v1alpha1');
    if (mediaType === 'application/json' && isKnown) return v;
  }
  throw newNotAcceptable(['text/plain', `application/json;v=v1beta1;g=config.k8s.io;as=${kind}`]);
}

/** `Wed Oct  6 21:03:43 UTC 2024`, Go's `time.UnixDate`. */
function unixDate(milliseconds: number): string {
  const [week = '', day = '', month = '', year = '', time = ''] = new Date(milliseconds)
    .toUTCString()
    .split(/,? /);
  return `${week} ${month} ${String(Number(day)).padStart(2)} ${time} UTC ${year}`;
}

function upTime(seconds: number): string {
  const two = (count: number): string => String(count).padStart(2, '0');
  return `${Math.floor(seconds / 3600)} hr ${two(Math.floor(seconds / 60) % 60)} min ${two(seconds % 60)} sec`;
}
