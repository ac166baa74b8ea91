import { randomUUID } from 'node:crypto';
import type { CustomResourceDefinition } from '../../api/apiextensions/v1.gen.ts';
import { isObject } from '../../machinery/patch/json-value.ts';
import { parseJson } from '../../machinery/json/parse-json.ts';
import { JsonSyntaxError } from '../../machinery/json/json-error.ts';
import { encodeJson } from '../../machinery/json/encode.ts';
import { mutableCopy } from '../../machinery/mutable-copy.ts';
import type { KubeObject } from '../../machinery/object.ts';
import { newInternalError } from '../../machinery/status/errors.ts';
import { StatusError } from '../../machinery/status-error.ts';
import { conversionRefused, versionOf, type Converter } from './converter.ts';

/** Posts JSON to a webhook; rejects with an error whose message is what upstream's client says. */
export interface ConversionClient {
  post(call: {
    readonly target: {
      readonly url?: string;
      readonly service?: {
        readonly namespace: string;
        readonly name: string;
        readonly path?: string;
        readonly port?: number;
      };
      readonly caBundle?: string;
    };
    readonly body: string;
    readonly timeoutSeconds?: number;
  }): Promise<{ readonly code: number; readonly body: Buffer }>;
}

const timeoutSeconds = 30;

/** `strategy: Webhook`: sends `ConversionReview`s (apiextensions.k8s.io/v1 or v1beta1), at most one per conversion. */
export function webhookConverter(
  definition: CustomResourceDefinition,
  complete: (object: KubeObject, version: string) => KubeObject,
  client: ConversionClient,
): Converter {
  const { spec, metadata } = definition;
  const { clientConfig = {}, conversionReviewVersions = [] } = spec.conversion?.webhook ?? {};
  const reviewVersion =
    conversionReviewVersions.find((version) => version === 'v1' || version === 'v1beta1') ?? 'v1';
  const apiVersion = `apiextensions.k8s.io/${reviewVersion}`;
  const failed = (object: KubeObject | undefined, detail: string): StatusError =>
    newInternalError(
      `conversion webhook for ${object?.apiVersion ?? spec.group}, Kind=${object?.kind ?? spec.names.kind} failed: ${detail}`,
    );

  async function review(objects: readonly KubeObject[], desired: string): Promise<readonly KubeObject[]> {
    const uid = randomUUID();
    const request = { uid, desiredAPIVersion: desired, objects };
    const body = encodeJson({ kind: 'ConversionReview', apiVersion, request });
    const [first] = objects;
    const answer = await client
      .post({ target: clientConfig, body, timeoutSeconds })
      .catch((error: unknown) => {
        throw failed(first, error instanceof Error ? error.message : String(error));
      });
    if (answer.code < 200 || answer.code >= 300) {
      throw failed(first, `the server responded with the status code ${answer.code}`);
    }
    const response = responseOf(answer.body, { uid, apiVersion });
    if (typeof response === 'string') throw refused(failed(first, response));
    if (response.length !== objects.length) {
      const detail = `webhook returned ${response.length} objects, expected ${objects.length}`;
      throw refused(failed(first, detail));
    }
    return response.map((object, index) => checked(object, objects[index], { desired, failed }));
  }

  return {
    async compare(object, version) {
      const desired = `${spec.group}/${version}`;
      if (object.apiVersion === desired) return object;
      const [converted = object] = await review([object], desired);
      return complete(converted, version);
    },
    convert(objects, version) {
      const desired = `${spec.group}/${version}`;
      if (objects.every((object) => object.apiVersion === desired)) {
        return objects.map((object) => complete(object, version));
      }
      const foreign = objects
        .filter((object) => object.apiVersion !== desired)
        .map((object) => complete(object, versionOf(object)));
      return review(foreign, desired).then((converted) => {
        const next = [...converted];
        return objects.map((object) =>
          complete(object.apiVersion === desired ? object : (next.shift() ?? object), version),
        );
      });
    },
  };

  function checked(
    object: unknown,
    original: KubeObject | undefined,
    { desired }: { readonly desired: string; readonly failed: typeof failed },
  ): KubeObject {
    const invalidObject = (detail: string): StatusError =>
      refused(
        newInternalError(
          `conversion webhook for ${metadata.name} returned invalid converted object: ${detail}`,
        ),
      );
    if (!isObject(object) || !original) throw invalidObject('it is no object');
    const converted = mutableCopy(object) as Record<string, unknown>;
    if (converted['apiVersion'] !== desired) {
      throw invalidObject(`expected apiVersion ${desired}, got ${String(converted['apiVersion'])}`);
    }
    if (converted['kind'] !== original.kind) {
      throw invalidObject(`expected kind ${original.kind}, got ${String(converted['kind'])}`);
    }
    const meta = converted['metadata'];
    if (!isObject(meta)) throw invalidObject('missing metadata');
    for (const field of ['name', 'namespace', 'uid'] as const) {
      if ((meta[field] ?? '') !== (original.metadata[field] ?? '')) {
        throw invalidObject(
          `must have the same ${field}: ${String(original.metadata[field])} != ${String(meta[field])}`,
        );
      }
    }
    // Of metadata a webhook may change labels and annotations only.
    const { labels, annotations } = meta;
    const kept = mutableCopy(original.metadata);
    const { labels: _labels, annotations: _annotations, ...rest } = kept;
    converted['metadata'] = {
      ...rest,
      ...(labels === undefined ? {} : { labels }),
      ...(annotations === undefined ? {} : { annotations }),
    };
    return converted as Record<string, unknown> & KubeObject;
  }
}

function refused({ status }: StatusError): StatusError {
  return new StatusError(status, { cause: conversionRefused });
}

/** The converted objects of a review, or what is wrong with it. */
function responseOf(
  body: Buffer,
  { uid, apiVersion }: { readonly uid: string; readonly apiVersion: string },
): readonly unknown[] | string {
  let review: unknown;
  try {
    review = parseJson(body).value;
  } catch (error) {
    if (error instanceof JsonSyntaxError) return error.message;
    throw error;
  }
  if (!isObject(review) || review['kind'] !== 'ConversionReview' || review['apiVersion'] !== apiVersion) {
    return `expected response type ${apiVersion}, Kind=ConversionReview`;
  }
  const { response } = review;
  if (!isObject(response)) return 'no response provided';
  if (apiVersion.endsWith('/v1') && response['uid'] !== uid) {
    return `expected response.uid=${JSON.stringify(uid)}, got ${JSON.stringify(response['uid'] ?? '')}`;
  }
  const { result, convertedObjects } = response;
  if (isObject(result) && result['status'] !== 'Success') {
    const message = typeof result['message'] === 'string' ? result['message'] : '';
    return message === '' ? 'invalid conversion webhook response: status is not Success' : message;
  }
  return Array.isArray(convertedObjects) ? (convertedObjects as readonly unknown[]) : [];
}
