import { StatusError } from '../../machinery/status-error.ts';
import { newNotAcceptable, newUnsupportedMediaType } from '../../machinery/status/errors.ts';

/** How an object is shown: itself, as rows of a table, or its metadata alone. */
export type Shape = 'Object' | 'Table' | 'PartialObjectMetadata' | 'PartialObjectMetadataList';

export interface Negotiated {
  readonly mediaType: 'application/json' | 'application/yaml' | 'application/vnd.kubernetes.protobuf';
  readonly shape: Shape;
  /** Version of `meta.k8s.io` that the shape was asked for in. */
  readonly metaVersion: string;
}

/** What upstream says it can read and write. */
export const mediaTypes: readonly string[] = [
  'application/json',
  'application/yaml',
  'application/vnd.kubernetes.protobuf',
];

/** What upstream says it can write watches in. */
export const streamMediaTypes: readonly string[] = [
  'application/json;stream=watch',
  'application/vnd.kubernetes.protobuf;stream=watch',
];

interface Clause {
  readonly mediaType: string;
  readonly params: Readonly<Record<string, string>>;
  readonly quality: number;
}

/** The clauses of an Accept header, best first; equal ones in their order. */
export function acceptClauses(header: string): Clause[] {
  return header
    .split(',')
    .map((text) => {
      const [mediaType = '', ...rest] = text.split(';').map((part) => part.trim());
      const params = Object.fromEntries(
        rest.map((part) => {
          const at = part.indexOf('=');
          return at < 0 ? [part, ''] : [part.slice(0, at).trim(), part.slice(at + 1).trim()];
        }),
      );
      const quality = params['q'] === undefined ? 1 : Number(params['q']);
      return { mediaType: mediaType.toLowerCase(), params, quality: Number.isNaN(quality) ? 0 : quality };
    })
    .filter(({ mediaType }) => mediaType !== '')
    .sort((a, b) => b.quality - a.quality);
}

const json = new Set(['application/json', '*/*', 'application/*']);

function shapeOf(params: Readonly<Record<string, string>>): Shape | undefined {
  const { as, g, v } = params;
  if (as === undefined) return 'Object';
  if (g !== 'meta.k8s.io' || (v !== 'v1' && v !== 'v1beta1')) return undefined;
  if (as === 'Table' || as === 'PartialObjectMetadata' || as === 'PartialObjectMetadataList') return as;
  return undefined;
}

/**
 * Chooses among what the client accepts. Throws 406: in the words of upstream's router when no media type fits (`available` is what
 * it lists; nothing where it lets its serializers choose), of its serializers when only the shape is unknown.
 */
export function negotiate(header: string | undefined, available: readonly string[] = mediaTypes): Negotiated {
  const plain: Negotiated = { mediaType: 'application/json', shape: 'Object', metaVersion: 'v1' };
  if (header === undefined || header.trim() === '') return plain;
  let binary: Negotiated | undefined;
  let routed = false;
  for (const { mediaType, params } of acceptClauses(header)) {
    routed ||= json.has(mediaType) || mediaTypes.includes(mediaType);
    const shape = shapeOf(params);
    if (!shape) continue;
    const metaVersion = params['v'] ?? 'v1';
    if (json.has(mediaType)) return { mediaType: 'application/json', shape, metaVersion };
    if (mediaType === 'application/yaml') return { mediaType, shape, metaVersion };
    if (mediaType === 'application/vnd.kubernetes.protobuf') {
      // Tables have no protobuf form, and metadata alone is answered in JSON, which every client reads.
      if (shape === 'Object') return { mediaType, shape, metaVersion };
      binary ??= { ...plain, shape, metaVersion };
    }
  }
  if (binary) return binary;
  const refused = newNotAcceptable(mediaTypes);
  if (routed || available.length === 0) throw refused;
  const message = `406: Not Acceptable\n\nAvailable representations: ${available.join(', ')}`;
  throw new StatusError({ ...refused.status, message });
}

/** An Accept header without protobuf, which custom resources do not have. Throws 406 when nothing else is accepted. */
export function withoutProtobuf(header: string | undefined): string | undefined {
  if (header === undefined || !header.includes('protobuf')) return header;
  const rest = header.split(',').filter((clause) => !clause.includes('application/vnd.kubernetes.protobuf'));
  if (rest.length === 0) throw newNotAcceptable(mediaTypes.filter((type) => !type.includes('protobuf')));
  return rest.join(',');
}

/** The media type of a body without its parameters. Throws 415 for what cannot be read. */
export function bodyMediaType(header: string | undefined): string {
  const mediaType = (header ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
  if (mediaType === '' || mediaType === 'application/json') return 'application/json';
  if (mediaTypes.includes(mediaType)) return mediaType;
  throw newUnsupportedMediaType(mediaTypes);
}
